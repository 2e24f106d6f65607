import { defineApi } from '../api.ts'
import { array, boolean, bytes, int16, int32, string, struct } from '../schema.ts'

/** DescribeGroups (key 15): state and members of groups. Version 6 says of a group that is not there that it was not found (KIP-1043). */
export const describeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 5,
  request: struct({
    groups: array('0+', string('0+')),
    includeAuthorizedOperations: boolean('3+')
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    groups: array(
      '0+',
      struct({
        errorCode: int16('0+'),
        errorMessage: string('6+', { nullable: '6+', default: null }),
        groupId: string('0+'),
        groupState: string('0+'),
        protocolType: string('0+'),
        protocolData: string('0+'),
        members: array(
          '0+',
          struct({
            memberId: string('0+'),
            groupInstanceId: string('4+', { nullable: '4+', default: null }),
            clientId: string('0+'),
            clientHost: string('0+'),
            memberMetadata: bytes('0+'),
            memberAssignment: bytes('0+')
          })
        ),
        authorizedOperations: int32('3+', { default: -0x8000_0000 })
      })
    )
  })
})
