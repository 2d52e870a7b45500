/// Remembers every external id for ever: what the first command with it said, and where it is in the log.
///
/// Ids are known by a 112-bit key. New ones go into the current generation, in memory. When that has `generationLimit` ids
/// the caller closes it; a closed generation is still in memory and still found, and any thread may turn it into a sorted
/// run for a file. Once the file is safe the generation is replaced by the run's filter: 2.5 bytes an id instead of 38. Whether a key
/// is in a file is then asked with `forEachPossiblySealed`, settled by reading a block, and told with `recall`.
///
/// In groups of sixteen ids, stage by stage:
///
/// ```swift
/// table.forEachPossiblySealed(in: run) { row in keys[row] } _: { row in … table.recall(keys[row], …) }
/// for row in run { searches[row] = table.search(keys[row]) }
/// table.finish(searches) { keys[$0] }
/// for row in run {
///     if let first = table.find(keys[row], after: searches[row]) { … duplicate or conflict … }
///     else { table.insert(keys[row], …, after: searches[row]) }
/// }
/// ```
///
/// A handle: copies share one storage. The owner calls `deallocate()` once.
public struct ExternalIdTable: @unchecked Sendable {
    // Sendable by ownership: one writer at a time, phases of different threads are separated by barriers.
    private let header: UnsafeMutablePointer<Header>

    private struct Header {
        var current: IdGeneration
        /// Closed generations still in memory, oldest first, and a count that the hot path reads instead.
        var closed: [IdGeneration] = []
        var closedCount = 0
        /// Closed generations, the first ones, that somebody is sealing.
        var takenCount = 0
        /// Runs in files, oldest first, and what snapshots call them.
        var runs: [SealedIdRun] = []
        var names: [SealedRunName] = []
        var runCount = 0
        /// Ids of runs that were read for what is applied now.
        var recalled: [ExternalIdKey: RememberedId] = [:]
        var recalledCount = 0
        /// Generations that have gone to a file; a frozen view may still read them.
        var retired: [IdGeneration] = []
        var frozen: [IdGeneration] = []
        /// Which keys were inserted since a search ended.
        var inserted = RecentKeys()
        var limit: Int
        var pool: BlockPool?
    }

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - generationLimit: ids after which `isGenerationFull`; at 38 bytes an id.
    ///   - pool: where the columns get their blocks from; it must outlive the table.
    public init(generationLimit: Int, pool: BlockPool? = nil) {
        precondition(generationLimit > 0 && generationLimit < 1 << 31, "a generation has 1 to 2³¹ ids")
        header = .allocate(capacity: 1)
        header.initialize(to: Header(current: IdGeneration(pool: pool), limit: generationLimit, pool: pool))
    }

    /// The number of ids in runs.
    public var sealedCount: Int { header.pointee.runs.reduce(0) { $0 + $1.count } }

    /// The number of ids in memory.
    public var count: Int { header.pointee.closed.reduce(header.pointee.current.count) { $0 + $1.count } }

    /// Bytes of memory in use.
    public var storageBytes: Int {
        header.pointee.closed.reduce(header.pointee.current.storageBytes) { $0 + $1.storageBytes }
            + header.pointee.runs.reduce(0) { $0 + $1.storageBytes }
    }

    /// Stage 1: begins to search for a key.
    @inline(__always)
    public func search(_ key: ExternalIdKey) -> IdSearch { header.pointee.current.search(key) }

    /// Stage 2: ends searches for keys; keys may be inserted afterwards.
    @inline(__always)
    public func finish(_ searches: UnsafeMutableBufferPointer<IdSearch>, _ key: (Int) -> ExternalIdKey) {
        header.pointee.current.finish(searches)
        for row in searches.indices { searches[row].time = header.pointee.inserted.time }
        for index in 0..<header.pointee.closedCount { askClosed(index, searches, key) }
    }

    /// Notes which keys a closed generation may hold, and starts loading those.
    private func askClosed(
        _ index: Int, _ searches: UnsafeMutableBufferPointer<IdSearch>, _ key: (Int) -> ExternalIdKey
    ) {
        let closed = header.pointee.closed[index]
        withUnsafeTemporaryAllocation(of: IdSearch.self, capacity: searches.count) { older in
            for row in searches.indices { older.initializeElement(at: row, to: closed.search(key(row))) }
            closed.finish(older)
            for row in searches.indices where older[row].candidate != nil { searches[row].suspect() }
        }
    }

    /// What is remembered of the key, in memory or recalled.
    ///
    /// - Complexity: O(1).
    @inline(__always)
    public func find(_ key: ExternalIdKey) -> RememberedId? {
        if let id = header.pointee.current.find(key) { return id }
        for index in 0..<header.pointee.closedCount {
            if let id = header.pointee.closed[index].find(key) { return id }
        }
        return recalled(key)
    }

    /// Stage 3: the same after a search.
    @inline(__always)
    public func find(_ key: ExternalIdKey, after search: IdSearch) -> RememberedId? {
        let isAbsent =
            search.candidate == nil && !header.pointee.inserted.mayHold(key, since: search.time)
            && search.version == header.pointee.current.searchVersion
        return isAbsent ? recalled(key) : find(key)
    }

    @inline(__always)
    private func recalled(_ key: ExternalIdKey) -> RememberedId? {
        header.pointee.recalledCount == 0 ? nil : lookUpRecalled(key)
    }

    @inline(never)
    private func lookUpRecalled(_ key: ExternalIdKey) -> RememberedId? { header.pointee.recalled[key] }

    /// Remembers a key that is neither in memory nor in a run.
    ///
    /// - Parameters:
    ///   - key: the key of the id.
    ///   - id: its sequence, below 2⁴⁸ - 1, and content hash.
    /// - Complexity: O(1) amortised; at most one segment of the index is rearranged, tens of microseconds.
    @inline(__always)
    public func insert(_ key: ExternalIdKey, _ id: RememberedId) {
        header.pointee.inserted.add(key)
        header.pointee.current.insert(key, id)
    }

    /// The same after a search.
    @inline(__always)
    public func insert(_ key: ExternalIdKey, _ id: RememberedId, after search: IdSearch) {
        let current = header.pointee.current
        guard search.version == current.searchVersion else { return insert(key, id) }
        header.pointee.inserted.add(key)
        current.insert(key, id, after: search)
    }

    /// Whether some run may hold the key; one wrong yes in 65,000 for each.
    public func mayBeSealed(_ key: ExternalIdKey) -> Bool {
        for index in 0..<header.pointee.runCount where header.pointee.runs[index].mayContain(key) { return true }
        return false
    }

    /// The filter of a run.
    @inline(__always)
    func filter(_ run: Int) -> IdFilter { header.pointee.runs[run].filter }

    /// Frees everything but the runs, which belong to whoever holds their files.
    public func deallocate() {
        precondition(header.pointee.frozen.isEmpty, "the table is frozen")
        header.pointee.current.deallocate()
        header.pointee.inserted.deallocate()
        for generation in header.pointee.closed + header.pointee.retired { generation.deallocate() }
        header.deinitialize(count: 1)
        header.deallocate()
    }
}

extension ExternalIdTable {
    /// Whether the current generation has reached its limit and should be closed.
    @inline(__always)
    public var isGenerationFull: Bool { header.pointee.current.count >= header.pointee.limit }

    /// The closed generations, oldest first, that are to be sealed.
    public var closedGenerations: [IdGeneration] { header.pointee.closed }

    /// The runs in files, oldest first.
    public var runs: [SealedIdRun] { header.pointee.runs }

    /// Makes the current generation immutable and begins the next, which expects to become as large.
    ///
    /// - Returns: the closed generation; see `IdGeneration.seal`.
    public func closeGeneration() -> IdGeneration {
        let closed = header.pointee.current
        header.pointee.closed.append(closed)
        header.pointee.closedCount += 1
        header.pointee.current = IdGeneration(pool: header.pointee.pool, after: closed)
        return closed
    }

    /// The oldest closed generation that was not taken yet, for somebody who seals it; `nil` when there is none.
    public func takeClosedGeneration() -> IdGeneration? {
        guard header.pointee.takenCount < header.pointee.closedCount else { return nil }
        defer { header.pointee.takenCount += 1 }
        return header.pointee.closed[header.pointee.takenCount]
    }

    /// Replaces the oldest closed generation by the run that was made of it. Nobody may use the generation afterwards, but for
    /// a frozen view; its memory is given away by `takeRetired()`.
    public func replaceOldestGeneration(with run: SealedIdRun, named name: SealedRunName = SealedRunName()) {
        precondition(header.pointee.closedCount > 0, "no generation is closed")
        let generation = header.pointee.closed.removeFirst()
        precondition(generation.count == run.count, "the run was made of another generation")
        header.pointee.closedCount -= 1
        header.pointee.takenCount = max(0, header.pointee.takenCount - 1)
        addRun(run, named: name)
        header.pointee.retired.append(generation)
    }

    /// Generations that nobody reads any more, to be freed on any thread, unless the table shares its pool: that takes
    /// a millisecond for a million ids.
    public func takeRetired() -> [IdGeneration] {
        guard !header.pointee.retired.isEmpty, header.pointee.frozen.isEmpty else { return [] }
        defer { header.pointee.retired = [] }
        return header.pointee.retired
    }

    /// Adds a run behind all others; for loading a data directory. It must outlive its place in the table.
    public func addRun(_ run: SealedIdRun, named name: SealedRunName = SealedRunName()) {
        header.pointee.runs.append(run)
        header.pointee.names.append(name)
        header.pointee.runCount += 1
    }

    /// Replaces some runs by one that holds the ids of all of them.
    public func replaceRuns(
        _ range: Range<Int>, with run: SealedIdRun, named name: SealedRunName = SealedRunName()
    ) {
        precondition(header.pointee.runs[range].reduce(0) { $0 + $1.count } == run.count, "ids are missing")
        header.pointee.runs.replaceSubrange(range, with: [run])
        header.pointee.names.replaceSubrange(range, with: [name])
        header.pointee.runCount = header.pointee.runs.count
    }

    /// Whether there is any run.
    @inline(__always)
    public var hasRuns: Bool { header.pointee.runCount > 0 }

    /// How many runs there are.
    @inline(__always)
    public var runCount: Int { header.pointee.runCount }

    /// What snapshots call the runs, oldest first.
    public var runNames: [SealedRunName] { header.pointee.names }

    /// Has `find` know an id that was read from a run.
    public func recall(_ key: ExternalIdKey, _ id: RememberedId) {
        header.pointee.recalled[key] = id
        header.pointee.recalledCount = header.pointee.recalled.count
    }

    /// Forgets what was recalled.
    public func forgetRecalled() {
        header.pointee.recalled.removeAll(keepingCapacity: true)
        header.pointee.recalledCount = 0
    }

    /// Views of the generations in memory, oldest first and the current one last, for any thread until `thaw(_:)`.
    ///
    /// - Complexity: O(ids / 256).
    public func freeze() -> [FrozenIdGeneration] {
        precondition(header.pointee.frozen.isEmpty, "the table has at most one frozen view")
        header.pointee.frozen = header.pointee.closed + [header.pointee.current]
        return header.pointee.closed.map { $0.viewOfClosed() } + [header.pointee.current.freeze()]
    }

    /// Ends the views that `freeze()` gave. Called by the owner.
    public func thaw(_ views: [FrozenIdGeneration]) {
        precondition(views.count == header.pointee.frozen.count && !views.isEmpty, "the views belong to another table")
        // A generation closed meanwhile stays as it is: nobody will write it, and a thread may be reading it.
        let last = header.pointee.frozen.count - 1
        if header.pointee.frozen[last].isSame(as: header.pointee.current) { header.pointee.current.thaw(views[last]) }
        header.pointee.frozen = []
    }
}

/// What a snapshot says about a sealed run that it counts on: which file, and enough to tell it from any other.
public struct SealedRunName: Equatable, Sendable {
    /// Number of the file.
    public var number: UInt64 = 0
    /// Ids in the run.
    public var count: UInt64 = 0
    /// The latest log position among them.
    public var lastSequence: UInt64 = 0
    /// Checksum of the file's header, which sums up all that the file holds.
    public var checksum: UInt32 = 0

    /// Names no file.
    public init() {}

    /// Puts a name together.
    public init(number: UInt64, count: UInt64, lastSequence: UInt64, checksum: UInt32) {
        self.number = number
        self.count = count
        self.lastSequence = lastSequence
        self.checksum = checksum
    }
}
