import GuerdonCore
import GuerdonStore
import Synchronization

/// Moves full generations of external ids from memory to files, and merges files, on a thread beside ingest.
///
/// Nothing depends on when: ids stay in memory until their file is durable, and a snapshot names the files that were
/// durable when it began. Files that no snapshot names are made again from the log after a crash.
final class IdSealer: @unchecked Sendable {
    // Sendable: all that changes is in the monitor; what is handed over belongs to one side at a time.
    private enum Result {
        case sealed(SealedIdFile)
        case merged([SealedIdFile], SealedIdFile)
    }
    private struct State {
        /// Generations that wait for their file, oldest first; the first one may be at work.
        var waiting: [ClosedGeneration] = []
        var results: [Result] = []
        /// Workspaces that may have files to merge, and those whose merged file is not in use yet.
        var unmerged: Set<Int> = []
        var merging: Set<Int> = []
        /// What only needs to be let go: that takes a while for large memory.
        var retired: [IdGeneration] = []
        var released: [SealedIdFile] = []
        /// Files that a snapshot counts on which is being written.
        var pinned: [UInt64] = []
        var wantsCleaning = false
        var hasFailed = false
        var isClosing = false
    }

    let ids: SealedIds
    private let report: @Sendable (String) -> Void
    private let state = Monitor(State())
    private let hasResults = Atomic<Bool>(false)
    private let isClosing = Atomic<Bool>(false)
    private var thread: DedicatedThread?
    /// Files of about the same size that are merged into one: every merge writes each id again and solves a filter anew,
    /// which costs more than to ask some filters more.
    private static let fanOut = 8
    /// A file of the smallest size has at least so many ids.
    private let idsPerGeneration: Int
    /// How long to wait after a failure before it is tried again.
    private static let retryNanoseconds: Int64 = 10_000_000_000
    /// Generations that may wait while the log is replayed, which may be faster than the disk.
    private static let waitingMost = 2

    init(_ ids: SealedIds, options: EngineOptions) {
        self.ids = ids
        report = options.report
        idsPerGeneration = options.idsPerGeneration
    }

    /// Takes what has become full, and puts finished files into the place of what they hold. Between batches, by the
    /// world's owner; hardly ever does anything.
    func exchange(with world: World) {
        let closed = world.takeClosedGenerations()
        if !closed.isEmpty {
            state.change { $0.waiting += closed }
            startThread()
        }
        guard hasResults.load(ordering: .acquiring) else { return }
        adoptResults(world)
    }

    /// The same while the log is replayed: waits where sealing does not keep up, so that memory stays bounded.
    func exchangeInReplay(with world: World) {
        exchange(with: world)
        let mustWait: Bool = state.wait { .some($0.waiting.count > Self.waitingMost && !$0.hasFailed) } ?? false
        guard mustWait else { return }
        _ = state.wait { $0.waiting.count <= Self.waitingMost || $0.hasFailed ? true : nil }
        adoptResults(world)
    }

    private func adoptResults(_ world: World) {
        let results = state.change { state in
            hasResults.store(false, ordering: .relaxed)
            defer { state.results = [] }
            return state.results
        }
        var released: [SealedIdFile] = []
        for result in results {
            switch result {
            case .sealed(let file):
                ids.add(file)
                world.seal(file.run, named: file.name, in: file.workspace)
            case .merged(let old, let file):
                let range = ids.replace(old, with: file)
                world.replaceSealed(range, with: file.run, named: file.name, in: file.workspace)
                released += old
            }
        }
        let retired = world.takeRetiredGenerations()
        startThread()
        state.change { state in
            for result in results {
                switch result {
                case .sealed(let file): state.unmerged.insert(file.workspace)
                case .merged(_, let file):
                    state.merging.remove(file.workspace)
                    state.unmerged.insert(file.workspace)
                }
            }
            state.retired += retired
            state.released += released
        }
    }

    /// A snapshot is being written that counts on these files.
    func pin(_ runs: [SealedRunName]) { state.change { $0.pinned = runs.map(\.number) } }

    /// The snapshot is written, or was given up: what it counts on is known from its file now.
    func unpin() {
        state.change { state in
            state.pinned = []
            state.wantsCleaning = true
            // Has the world's owner come by, who starts the thread.
            hasResults.store(true, ordering: .releasing)
        }
    }

    /// Gives up what is being written, and ends the thread. To be called before the world goes.
    func close() {
        isClosing.store(true, ordering: .relaxed)
        state.change { $0.isClosing = true }
        thread?.join()
        thread = nil
        // What was retired after the last turn.
        state.change { state in
            for generation in state.retired { generation.deallocate() }
            state.retired = []
        }
    }

    private func startThread() {
        guard thread == nil, !isClosing.load(ordering: .relaxed) else { return }
        // Ids that wait are in memory: nobody waits for this thread.
        thread = DedicatedThread(name: "ids", givesWay: true) { [self] in run() }
    }

    private enum Job {
        case seal(ClosedGeneration)
        case merge([SealedIdFile])
        case clean
        case letGo([IdGeneration], [SealedIdFile])
        case end
    }

    private func run() {
        while true {
            let job: Job = state.wait { nextJob(&$0) } ?? .end
            switch job {
            case .end: return
            case .letGo(let generations, let files):
                for generation in generations { generation.deallocate() }
                withExtendedLifetime(files) {}
            case .seal(let generation): seal(generation)
            case .merge(let files): merge(files)
            case .clean:
                attempt { () throws(StoreError) in
                    try ids.removeUnused(keeping: { pinned }, isHurried: { isClosing.load(ordering: .relaxed) })
                }
            }
        }
    }

    private var firstWaiting: ClosedGeneration? { state.wait { .some($0.waiting.first) } ?? nil }

    private var pinned: [UInt64] { state.wait { .some($0.pinned) } ?? [] }

    private func nextJob(_ state: inout State) -> Job? {
        if state.isClosing { return .end }
        if !state.retired.isEmpty || !state.released.isEmpty {
            defer { (state.retired, state.released) = ([], []) }
            return .letGo(state.retired, state.released)
        }
        if let first = state.waiting.first { return .seal(first) }
        if state.wantsCleaning {
            state.wantsCleaning = false
            return .clean
        }
        for workspace in state.unmerged.subtracting(state.merging).sorted() {
            state.unmerged.remove(workspace)
            guard let files = mergeable(in: workspace) else { continue }
            state.merging.insert(workspace)
            return .merge(files)
        }
        return nil
    }

    /// The oldest files of a workspace that stand side by side and are of one size, if there are as many as are merged. A
    /// small one in front of larger ones counts as one of these, so that there are at most seven of each size.
    private func mergeable(in workspace: Int) -> [SealedIdFile]? {
        let files = ids.files(of: workspace)
        var levels = files.map { level(of: $0) }
        for place in levels.indices.dropLast().reversed() { levels[place] = max(levels[place], levels[place + 1]) }
        let starts = 0..<max(0, files.count - Self.fanOut + 1)
        guard let first = starts.first(where: { levels[$0] == levels[$0 + Self.fanOut - 1] }) else { return nil }
        return Array(files[first..<first + Self.fanOut])
    }

    private func level(of file: SealedIdFile) -> Int {
        var level = 0
        var least = idsPerGeneration * Self.fanOut
        while file.run.count >= least {
            level += 1
            least *= Self.fanOut
        }
        return level
    }

    private func seal(_ closed: ClosedGeneration) {
        attempt { () throws(StoreError) in
            let file = try ids.seal(closed, isCancelled: { [self] in isClosing.load(ordering: .relaxed) })
            finish(.sealed(file)) { $0.waiting.removeFirst() }
        }
    }

    private func merge(_ files: [SealedIdFile]) {
        var isDone = false
        defer { if !isDone { state.change { _ = $0.merging.remove(files[0].workspace) } } }
        attempt { () throws(StoreError) in
            let file = try ids.merge(
                files, isCancelled: { [self] in isClosing.load(ordering: .relaxed) },
                pause: { sealWhatWaits() })
            finish(.merged(files, file)) { _ in }
            isDone = true
        }
    }

    /// In the middle of a merge: generations must not pile up in memory.
    private func sealWhatWaits() {
        while !isClosing.load(ordering: .relaxed), let closed = firstWaiting {
            seal(closed)
            // It failed, and is tried again later.
            if state.wait({ .some($0.hasFailed) }) ?? true { return }
        }
    }

    private func finish(_ result: Result, _ change: (inout State) -> Void) {
        state.change { state in
            state.results.append(result)
            state.hasFailed = false
            change(&state)
            hasResults.store(true, ordering: .releasing)
        }
    }

    /// Runs a piece of work. When it fails nothing is lost, for the ids are in memory or in the files before: tell once, and
    /// try again later, with a file of another number.
    private func attempt(_ work: () throws(StoreError) -> Void) {
        do throws(StoreError) { try work() } catch {
            if error.code == .cancelled { return }
            let isFirst = state.change { state in
                defer { state.hasFailed = true }
                return !state.hasFailed
            }
            if isFirst { report("external ids stay in memory for now: \(error)") }
            _ = state.wait(nanoseconds: Self.retryNanoseconds) { $0.isClosing ? true : nil }
        }
    }
}
