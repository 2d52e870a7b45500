import GuerdonCore
import GuerdonStore

/// Commands from the log, postings from the history, and external ids from their files.
struct LogArchive: LogSource {
    let log: BatchLog
    let history: History
    let ids: SealedIds

    func command(at sequence: UInt64) throws -> PastCommand {
        let batch = try log.batch(containing: sequence)
        return try batch.payload.withUnsafeBytes { bytes in
            var source = ByteSource(bytes)
            var shape = ActionShape()
            for _ in batch.info.firstSequence..<sequence { _ = try CommandCoding.decode(&source, shape: &shape) }
            return PastCommand(command: try CommandCoding.decode(&source, shape: &shape), time: batch.info.time)
        }
    }

    func postings(at sequence: UInt64) throws -> [Posting] { try history.postings(at: sequence) }

    func findSealed(_ questions: inout [SealedIdQuestion]) throws { try ids.answer(&questions) }
}
