import { ConfigResource, type MetadataImage, type TopicImage } from './metadata-image.ts'
import { type MetadataRecord, metadataRecord } from './metadata-records.ts'

/** The shortest sequence of records that makes the image from an empty one: the content of a snapshot. */
export function imageRecords(image: MetadataImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const [name, featureLevel] of image.features)
    records.push(metadataRecord('featureLevel', { name, featureLevel }))
  for (const broker of image.brokers.values()) {
    const endPoints = broker.endPoints.map((endPoint) => ({ ...endPoint, securityProtocol: 0 }))
    records.push(metadataRecord('registerBroker', { ...broker, endPoints }))
  }
  for (const [resourceName, configs] of image.brokerConfigs) {
    for (const [name, value] of configs) {
      records.push(metadataRecord('config', { resourceType: ConfigResource.broker, resourceName, name, value }))
    }
  }
  for (const topic of image.topicsByName.values()) records.push(...topicRecords(topic))
  if (image.nextProducerId > 0) {
    records.push(metadataRecord('producerIds', { brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId }))
  }
  return records
}

function topicRecords({ name: topic, topicId, partitions, configs }: TopicImage): MetadataRecord[] {
  return [
    metadataRecord('topic', { name: topic, topicId }),
    ...[...configs].map(([name, value]) =>
      metadataRecord('config', { resourceType: ConfigResource.topic, resourceName: topic, name, value })
    ),
    ...partitions.map((partition, partitionId) => metadataRecord('partition', { ...partition, partitionId, topicId }))
  ]
}
