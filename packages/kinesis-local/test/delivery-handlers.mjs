/** Transforms of the delivery's tests. The data of a record say what is to become of it. */
const encode = (text) => Buffer.from(text).toString('base64')
const decode = (data) => Buffer.from(data, 'base64').toString()

export const transform = async (event) => ({
  records: event.records.flatMap(({ recordId, data }) => {
    const text = decode(data)
    if (text === 'drop') return [{ recordId, result: 'Dropped' }]
    if (text === 'fail') return [{ recordId, result: 'ProcessingFailed', data }]
    if (text === 'forget') return []
    if (text === 'rename') return [{ recordId: 'another', result: 'Ok', data }]
    if (text === 'twice') return [1, 2].map(() => ({ recordId, result: 'Ok', data }))
    if (text === 'odd-result') return [{ recordId, result: 'Fine', data }]
    if (text === 'no-data') return [{ recordId, result: 'Ok' }]
    if (text === 'no-base64') return [{ recordId, result: 'Ok', data: '%%%' }]
    return [{ recordId, result: 'Ok', data: encode(`${text}\n`) }]
  }),
})

/** Tells what it got, in place of the data. */
export const describe = async (event) => ({
  records: event.records.map((record) => {
    const { records, ...rest } = event
    return {
      recordId: record.recordId,
      result: 'Ok',
      data: encode(`${JSON.stringify({ ...rest, record, size: records.length })}\n`),
    }
  }),
})

/** Tells only how many records there were, and what the event weighed. */
export const weigh = async (event) => {
  const data = encode(`${event.records.length} ${JSON.stringify(event).length}\n`)
  return { records: event.records.map(({ recordId }) => ({ recordId, result: 'Ok', data })) }
}

export const breakDown = async () => {
  throw new Error('out of order')
}

export const nothing = async () => null

export const inflate = async (event) => ({
  records: event.records.map(({ recordId }) => ({
    recordId,
    result: 'Ok',
    data: 'A'.repeat(7 * 1024 * 1024),
  })),
})

/** Partitions by the customer and the kind in the JSON of a record. */
export const partition = async (event) => ({
  records: event.records.map(({ recordId, data }) => ({
    recordId,
    result: 'Ok',
    data: encode(`${decode(data)}\n`),
    metadata: { partitionKeys: JSON.parse(decode(data)) },
  })),
})
