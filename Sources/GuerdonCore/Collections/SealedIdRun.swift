/// What stays in memory of ids that were sealed into a file: a filter and one word per block of the file.
///
/// The file is a sorted run: blocks of 4,096 bytes with 146 records of 28 bytes and 8 bytes of zero, the last block filled
/// up with records of all ones. A record is, least significant byte first: the key (6 bytes `high`, 8 bytes `low`), the
/// sequence (6), the content hash (8). Writing the blocks, guarding them with checksums and reading them back is the store's job.
///
/// ```swift
/// if run.mayContain(key) {
///     for block in run.blocks(of: key) {
///         if let found = SealedIdRun.find(key, inBlock: read(block)) { … }
///     }
/// }
/// ```
///
/// A handle; the owner calls `deallocate()`.
public struct SealedIdRun: @unchecked Sendable {
    // Sendable because nothing is written after `init`.
    /// Says which ids are surely not in the run.
    public let filter: IdFilter
    private let fences: UnsafeBufferPointer<UInt32>

    /// Bytes of a block of the file.
    public static let blockBytes = 4096
    /// Bytes of one record.
    public static let recordBytes = 28
    /// Records in a block.
    public static let recordsPerBlock = 146

    init(filter: IdFilter, fences: [UInt32]) {
        self.filter = filter
        let room = StateMemory.allocate(UInt32.self, count: fences.count)
        for (index, fence) in fences.enumerated() { (room + index).initialize(to: fence) }
        self.fences = UnsafeBufferPointer(start: room, count: fences.count)
    }

    /// The number of ids in the run.
    public var count: Int { filter.count }

    /// The number of blocks in the file.
    public var blockCount: Int { fences.count }

    /// Bytes of memory in use.
    public var storageBytes: Int { filter.storageBytes + fences.count * 4 }

    /// Whether the run may hold the key; one wrong yes in 65,000.
    @inline(__always)
    public func mayContain(_ key: ExternalIdKey) -> Bool { filter.mayContain(key) }

    /// The blocks that hold the key if any does: one, or two at a boundary.
    ///
    /// - Complexity: O(log blocks).
    public func blocks(of key: ExternalIdKey) -> Range<Int> {
        let tag = UInt32(key.high >> 16)
        // The last block that begins below the tag may still hold it, and so may those that begin with it.
        let first = firstBlock { $0 >= tag }
        let end = firstBlock { $0 > tag }
        return max(first - 1, 0)..<max(end, min(1, fences.count))
    }

    /// Looks for the key in one block.
    ///
    /// - Complexity: O(log records).
    public static func find(_ key: ExternalIdKey, inBlock block: UnsafeRawBufferPointer) -> RememberedId? {
        precondition(block.count == blockBytes, "not a block")
        var (low, high) = (0, recordsPerBlock)
        while low < high {
            let middle = (low + high) / 2
            if record(middle, in: block).key < key { low = middle + 1 } else { high = middle }
        }
        guard low < recordsPerBlock else { return nil }
        let record = record(low, in: block)
        return record.key == key && record.id.sequence != emptySequence ? record.id : nil
    }

    /// Calls `body` with the records of a block in order.
    public static func forEachRecord(
        inBlock block: UnsafeRawBufferPointer, _ body: (ExternalIdKey, RememberedId) -> Void
    ) {
        precondition(block.count == blockBytes, "not a block")
        for index in 0..<recordsPerBlock {
            let record = record(index, in: block)
            if record.id.sequence == emptySequence { return }
            body(record.key, record.id)
        }
    }

    /// Takes a block apart.
    ///
    /// - Parameter records: room for a whole block.
    /// - Returns: how many records it has: fewer than ``recordsPerBlock`` in the last block.
    static func decode(_ block: UnsafeRawBufferPointer, into records: UnsafeMutablePointer<IdRecord>) -> Int {
        precondition(block.count == blockBytes, "not a block")
        for index in 0..<recordsPerBlock {
            let record = record(index, in: block)
            if record.id.sequence == emptySequence { return index }
            records[index] = IdRecord(record.key, record.id)
        }
        return recordsPerBlock
    }

    /// Frees the memory.
    public func deallocate() {
        filter.deallocate()
        guard let start = fences.baseAddress else { return }
        StateMemory.free(UnsafeMutablePointer(mutating: start), count: fences.count)
    }

    /// The sequence of the records that fill up the last block.
    static let emptySequence: UInt64 = 0xffff_ffff_ffff

    private func firstBlock(where isPast: (UInt32) -> Bool) -> Int {
        var (low, high) = (0, fences.count)
        while low < high {
            let middle = (low + high) / 2
            if isPast(fences[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    @inline(__always)
    private static func record(
        _ index: Int, in block: UnsafeRawBufferPointer
    ) -> (key: ExternalIdKey, id: RememberedId) {
        let start = block.baseAddress.unsafelyUnwrapped + index * recordBytes
        return (
            ExternalIdKey(high: load6(start), low: load8(start + 6)),
            RememberedId(sequence: load6(start + 14), content: load8(start + 20))
        )
    }

    @inline(__always)
    private static func load6(_ address: UnsafeRawPointer) -> UInt64 {
        UInt64(UInt32(littleEndian: address.loadUnaligned(as: UInt32.self)))
            | UInt64(UInt16(littleEndian: address.loadUnaligned(fromByteOffset: 4, as: UInt16.self))) << 32
    }
}

extension SealedIdRun {
    /// Filter and fences as bytes, least significant first: fences (4), 4 bytes each, then the filter. In pieces.
    public func encode(_ emit: (UnsafeRawBufferPointer) -> Void) {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt32(fences.count))
        for fence in fences { bytes.appendLittleEndian(fence) }
        bytes.withUnsafeBytes(emit)
        filter.encode(emit)
    }

    /// All pieces in one array.
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        encode { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Reads what `encode()` wrote, or nil if it cannot be that.
    public init?(decoding bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 4 else { return nil }
        let fenceCount = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard fenceCount <= (bytes.count - 4) / 4 else { return nil }
        let fences = (0..<fenceCount).map { index in
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 + index * 4, as: UInt32.self))
        }
        guard zip(fences, fences.dropFirst()).allSatisfy({ $0 <= $1 }) else { return nil }
        guard let filter = IdFilter(decoding: .init(rebasing: bytes[(4 + fenceCount * 4)...])) else { return nil }
        guard (filter.count + Self.recordsPerBlock - 1) / Self.recordsPerBlock == fenceCount else {
            filter.deallocate()
            return nil
        }
        self.init(filter: filter, fences: fences)
    }
}
