import GuerdonCore
import GuerdonStore

/// Commands from the log and postings from the history.
struct LogArchive: LogSource {
    let log: BatchLog
    let history: History

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
}
