import GuerdonCore
import GuerdonStore

/// Reads batches of the log on a thread of its own, ahead of whoever applies them: decompression, checksums and a copy are a
/// twentieth of a replay.
final class ReadAhead {
    /// A batch, and where its record is.
    struct Piece {
        let batch = CommandBatch()
        fileprivate(set) var file = ""
        fileprivate(set) var offset: UInt64 = 0
    }

    /// Batches that are handed on together: a log may have a single command in each.
    final class Load: @unchecked Sendable {
        // Sendable: owned by one thread at a time, and handed on as a whole.
        fileprivate var all: [Piece] = []
        fileprivate var count = 0

        /// The batches, in the order of the log.
        var pieces: ArraySlice<Piece> { all[..<count] }

        fileprivate func append(_ record: LogRecord) {
            if count == all.count { all.append(Piece()) }
            let batch = all[count].batch
            batch.reset()
            batch.body.write(record.payload)
            batch.count = Int(record.info.count)
            batch.firstSequence = record.info.firstSequence
            batch.time = record.info.time
            all[count].file = record.file
            all[count].offset = record.offset
            count += 1
        }
    }

    private struct State {
        var free: [Load]
        /// What was read, oldest first.
        var ready: [Load] = []
        /// Why nothing more comes behind these.
        var end: End?
        var isClosing = false
    }

    private enum End {
        case log
        case failure(StoreError)
    }

    private static let loads = 4
    private static let piecesPerLoad = 64
    private static let commandsPerLoad = 4096

    private let state: Monitor<State>
    private let thread: DedicatedThread

    /// Begins to read what a reader gives from where it is.
    init(_ reader: consuming LogReader) {
        let state = Monitor(State(free: (0..<Self.loads).map { _ in Load() }))
        self.state = state
        let reader = Handover(reader)
        thread = DedicatedThread(name: "reader") { Self.run(reader, state) }
    }

    /// The next batches; `nil` at the end of the log.
    ///
    /// - Throws: what reading threw, once all before it was given out.
    func next() throws(StoreError) -> Load? {
        let next: Result<Load?, StoreError>? = state.wait { state in
            if !state.ready.isEmpty { return .success(state.ready.removeFirst()) }
            switch state.end {
            case nil: return nil
            case .log: return .success(nil)
            case .failure(let error): return .failure(error)
            }
        }
        // Without a deadline the wait always gives something.
        return try next?.get()
    }

    /// Gives batches back that nobody needs any more.
    func giveBack(_ load: Load) { state.change { $0.free.append(load) } }

    /// Ends the thread.
    func close() {
        state.change { $0.isClosing = true }
        thread.join()
    }

    private static func run(_ reader: Handover, _ state: Monitor<State>) {
        while true {
            let free: Load?? = state.wait { state in
                state.isClosing ? .some(nil) : state.free.popLast().map { .some($0) }
            }
            guard let load = free ?? nil else { return }
            let end = fill(load, from: reader)
            state.change { state in
                state.ready.append(load)
                state.end = end
            }
            if end != nil { return }
        }
    }

    /// Fills a load, and tells whether it is the last, and why.
    private static func fill(_ load: Load, from reader: Handover) -> End? {
        load.count = 0
        var commands = 0
        while load.count < piecesPerLoad, commands < commandsPerLoad {
            do throws(StoreError) {
                guard let record = try reader.reader.next() else { return .log }
                load.append(record)
                commands += Int(record.info.count)
            } catch {
                return .failure(error)
            }
        }
        return nil
    }

    private final class Handover: @unchecked Sendable {
        // Sendable: the reading thread alone uses it.
        var reader: LogReader
        init(_ reader: consuming LogReader) { self.reader = reader }
    }
}
