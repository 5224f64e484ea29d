import type { QueryProtocol } from '../wire/query-protocol.js'

/** What older clients speak with CloudWatch, the AWS CLI of Debian 12 among them. */
export const CLOUDWATCH_QUERY: QueryProtocol = {
  version: '2010-08-01',
  xmlNamespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
  maps: [],
  members: {
    numbers: [
      ...[
        'Counts',
        'DatapointsToAlarm',
        'EvaluationPeriods',
        'MaxDatapoints',
        'MaxRecords',
        'Maximum',
        'Minimum',
      ],
      ...['Period', 'SampleCount', 'StorageResolution', 'Sum', 'Threshold', 'Value', 'Values'],
    ],
    booleans: ['ActionsEnabled', 'ReturnData'],
    text: ['Dimensions', 'Tags'],
  },
}
