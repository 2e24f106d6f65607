import { describe, expect, it } from 'vitest'
import { imageRecords } from './image-records.ts'
import {
  allocateProducerIds,
  configureTopic,
  createTopic,
  deleteTopic,
  finalizeFeatures,
  registerBroker
} from './metadata-controller.ts'
import { applyRecords, emptyImage, type MetadataImage } from './metadata-image.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from './metadata-records.ts'

const brokerOne = {
  brokerId: 1,
  incarnationId: 'n-C-LFHzTMSBNonSrKPoUw',
  brokerEpoch: 4,
  endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }]
}

/** A cluster with a bit of everything, some of it changed more than once. */
function livedImage(): MetadataImage {
  const topic = (name: string, topicId: string) => ({
    name,
    topicId,
    partitions: 3,
    replicationFactor: 1,
    configs: new Map([['retention.ms', '-1']])
  })
  let image = applyRecords(emptyImage, finalizeFeatures(emptyImage))
  image = applyRecords(image, registerBroker(image, brokerOne))
  image = applyRecords(image, createTopic(image, topic('clicks', 'bupUDX1mRaSTzF-B65z-oQ')))
  image = applyRecords(image, createTopic(image, topic('gone', 'mUEhGjLjRk2m4Ua4kjdB9A')))
  image = applyRecords(
    image,
    configureTopic(
      image,
      'clicks',
      new Map([
        ['retention.ms', null],
        ['segment.bytes', '4096']
      ])
    )
  )
  image = applyRecords(image, allocateProducerIds(image, { brokerId: 1, brokerEpoch: 4 }).records)
  image = applyRecords(image, deleteTopic(image, 'gone'))
  return applyRecords(image, registerBroker(image, { ...brokerOne, brokerEpoch: 30 }))
}

describe('the records of an image', () => {
  it('make the image again, through their bytes', () => {
    const image = livedImage()
    const records = imageRecords(image).map((record) => decodeMetadataRecord(encodeMetadataRecord(record)))
    expect(records).not.toContain(undefined)
    expect(
      applyRecords(
        emptyImage,
        records.flatMap((record) => record ?? [])
      )
    ).toEqual(image)
    expect(image.topicsByName.get('clicks')?.partitions[0].leaderEpoch).toBe(1)
  })

  it('are none for an empty one', () => {
    expect(imageRecords(emptyImage)).toEqual([])
  })
})
