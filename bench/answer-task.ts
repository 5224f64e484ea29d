/** The other end of a `TaskProcess`: does its one task, says what came of it, and ends with whoever asked. */
export function answerTask<Task>(run: (task: Task) => Promise<object>): void {
  process.once('message', (task: Task) => {
    run(task)
      .catch((error: Error) => ({ error: error.message }))
      .then((answer) => process.send!(answer, () => process.exit()))
  })
  process.once('disconnect', () => process.exit())
}
