import CIntrinsics

/// Merges the ids of several runs into one, a block of each at a time.
///
/// ```swift
/// let merge = SealedIdMerge(sources: files.count, count: sum)
/// while let source = merge.advance({ write($0) }) {
///     guard merge.refill(source, with: nextBlock(of: source)) else { … damaged … }
/// }
/// let run = merge.finish { write($0) }
/// ```
public final class SealedIdMerge {
    private let sources: Int
    private let count: Int
    /// Ids that were handed in, and that were passed on.
    private var taken = 0
    private var passed = 0
    private var builder: SealedIdRunBuilder
    /// Room for the block of each source, where its next record and its end are, and its next key in two columns.
    private let records: UnsafeMutablePointer<IdRecord>
    private let next: UnsafeMutablePointer<Int>
    private let end: UnsafeMutablePointer<Int>
    private let highs: UnsafeMutablePointer<UInt64>
    private let lows: UnsafeMutablePointer<UInt64>
    /// Where merged records are put until there are enough.
    private let merged: UnsafeMutablePointer<IdRecord>
    private var mergedCount = 0
    /// The last key of each source's block before, and what the next merged key, as one number, must not be below.
    private var lastKeys: [ExternalIdKey?]
    private var least: UInt128 = 0
    /// Sources without a block that were not told to have ended.
    private var waiting: [Int]
    private static let mergedLimit = 256

    /// - Parameters:
    ///   - sources: how many runs there are; at least one.
    ///   - count: how many ids they have together.
    public init(sources: Int, count: Int) {
        precondition(sources > 0, "nothing to merge")
        (self.sources, self.count) = (sources, count)
        builder = SealedIdRunBuilder(count: count)
        records = .allocate(capacity: sources * SealedIdRun.recordsPerBlock)
        (next, end) = (.allocate(capacity: sources), .allocate(capacity: sources))
        (highs, lows) = (.allocate(capacity: sources), .allocate(capacity: sources))
        merged = .allocate(capacity: Self.mergedLimit)
        for source in 0..<sources { (highs[source], lows[source]) = (.max, .max) }
        lastKeys = Array(repeating: nil, count: sources)
        waiting = Array((0..<sources).reversed())
    }

    deinit {
        records.deallocate()
        next.deallocate()
        end.deallocate()
        highs.deallocate()
        lows.deallocate()
        merged.deallocate()
    }

    /// Gives the next block of a source that ``advance(_:)`` named, or `nil` when it has none left.
    ///
    /// - Returns: false when its ids are not in order, or are more than was announced.
    public func refill(_ source: Int, with block: UnsafeRawBufferPointer?) -> Bool {
        precondition(waiting.last == source, "another source is waiting")
        guard let block else {
            waiting.removeLast()
            return true
        }
        let first = source * SealedIdRun.recordsPerBlock
        let added = SealedIdRun.decode(block, into: records + first)
        if added == 0 { return true }
        taken += added
        guard taken <= count, isAscending(source, first..<first + added) else { return false }
        (next[source], end[source]) = (first, first + added)
        (highs[source], lows[source]) = (records[first].key.high, records[first].key.low)
        waiting.removeLast()
        return true
    }

    private func isAscending(_ source: Int, _ range: Range<Int>) -> Bool {
        if let last = lastKeys[source], last >= records[range.lowerBound].key { return false }
        var isAscending = true
        for index in range.dropFirst() where records[index - 1].key >= records[index].key { isAscending = false }
        lastKeys[source] = records[range.upperBound - 1].key
        return isAscending
    }

    /// Merges until a source has nothing left of its block.
    ///
    /// - Returns: that source, whose next block is needed; `nil` when all have ended, or when there is an id twice.
    public func advance(_ emit: (UnsafeRawBufferPointer) -> Void) -> Int? {
        if let source = waiting.last { return source }
        while true {
            switch fill() {
            case .full: pass(emit)
            case .needs(let source):
                waiting.append(source)
                return source
            case .end: return nil
            }
        }
    }

    private enum Stop {
        case full
        case needs(Int)
        case end
    }

    /// Merges until a source needs a block or enough is merged.
    private func fill() -> Stop {
        var (count, least) = (mergedCount, least)
        defer { (mergedCount, self.least) = (count, least) }
        while count < Self.mergedLimit {
            let source = cintrinsics_least_wide(highs, lows, sources)
            let key = UInt128(highs[source]) &<< 64 | UInt128(lows[source])
            // No key is that large: all have ended. Or the key was there before.
            if key == .max || key < least { return .end }
            least = key &+ 1
            let place = next[source]
            merged[count] = records[place]
            count &+= 1
            next[source] = place &+ 1
            if place &+ 1 == end[source] {
                (highs[source], lows[source]) = (.max, .max)
                return .needs(source)
            }
            (highs[source], lows[source]) = (records[place &+ 1].key.high, records[place &+ 1].key.low)
        }
        return .full
    }

    private func pass(_ emit: (UnsafeRawBufferPointer) -> Void) {
        builder.append(UnsafeBufferPointer(start: merged, count: mergedCount), emit)
        passed += mergedCount
        mergedCount = 0
    }

    /// Passes on the last block and gives what stays in memory; `nil` unless there were as many ids as announced, each once.
    public func finish(_ emit: (UnsafeRawBufferPointer) -> Void) -> SealedIdRun? {
        pass(emit)
        return passed == count && waiting.isEmpty ? builder.finish(emit) : nil
    }
}
