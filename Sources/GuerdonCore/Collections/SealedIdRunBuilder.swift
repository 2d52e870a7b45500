/// Turns ids in ascending order of their keys into the blocks of a run and its `SealedIdRun`.
///
/// For a generation that leaves memory, and for merging runs.
public struct SealedIdRunBuilder {
    private var filter: IdFilterBuilder
    private var fences: [UInt32] = []
    private let block = Block()
    /// Records in the block.
    private var filled = 0
    /// What the next key, as one number, must not be below.
    private var least: UInt128 = 0

    /// - Parameter count: how many ids will come.
    public init(count: Int) {
        filter = IdFilterBuilder(count: count)
        fences.reserveCapacity(count / SealedIdRun.recordsPerBlock + 1)
    }

    /// Adds one id, and passes on the block that it fills.
    public mutating func append(
        _ key: ExternalIdKey, _ id: RememberedId, _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        withUnsafePointer(to: IdRecord(key, id)) { append(UnsafeBufferPointer(start: $0, count: 1), emit) }
    }

    /// Adds ids, and passes on the blocks that they fill.
    mutating func append(_ records: UnsafeBufferPointer<IdRecord>, _ emit: (UnsafeRawBufferPointer) -> Void) {
        var rest = records
        while let first = rest.first {
            if filled == 0 { fences.append(UInt32(first.key.high >> 16)) }
            let part = UnsafeBufferPointer(rebasing: rest[..<min(rest.count, SealedIdRun.recordsPerBlock - filled)])
            rest = UnsafeBufferPointer(rebasing: rest[part.count...])
            fill(part)
            if filled == SealedIdRun.recordsPerBlock {
                emit(block.finish())
                filled = 0
            }
        }
    }

    /// Adds ids for which there is room in the block.
    private mutating func fill(_ records: UnsafeBufferPointer<IdRecord>) {
        var (next, least) = (block.record(filled), least)
        for record in records {
            let number = UInt128(record.key.high) &<< 64 | UInt128(record.key.low)
            precondition(number >= least, "keys out of order")
            precondition(record.id.sequence < SealedIdRun.emptySequence, "a sequence has 48 bits")
            least = number &+ 1
            filter.add(record.key)
            Block.store(record, at: next)
            next += SealedIdRun.recordBytes
        }
        self.least = least
        filled += records.count
    }

    /// Passes on the last block and gives what stays in memory.
    public consuming func finish(_ emit: (UnsafeRawBufferPointer) -> Void) -> SealedIdRun {
        if filled > 0 {
            let nothing = IdRecord(.init(high: .max, low: .max), .init(sequence: .max, content: .max))
            for number in filled..<SealedIdRun.recordsPerBlock { Block.store(nothing, at: block.record(number)) }
            emit(block.finish())
        }
        return SealedIdRun(filter: filter.finish(), fences: fences)
    }

    /// The memory of the block that is being filled.
    private final class Block {
        private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: SealedIdRun.blockBytes, alignment: 16)

        init() { bytes.initializeMemory(as: UInt8.self, repeating: 0) }

        deinit { bytes.deallocate() }

        /// Where a record goes.
        func record(_ number: Int) -> UnsafeMutableRawPointer {
            precondition(UInt(bitPattern: number) < UInt(SealedIdRun.recordsPerBlock), "the block is full")
            return bytes.baseAddress.unsafelyUnwrapped + number * SealedIdRun.recordBytes
        }

        /// Of 48-bit words the two bytes behind are overwritten by what follows.
        @inline(__always)
        static func store(_ record: IdRecord, at start: UnsafeMutableRawPointer) {
            start.storeBytes(of: record.key.high.littleEndian, as: UInt64.self)
            start.storeBytes(of: record.key.low.littleEndian, toByteOffset: 6, as: UInt64.self)
            start.storeBytes(of: record.id.sequence.littleEndian, toByteOffset: 14, as: UInt64.self)
            start.storeBytes(of: record.id.content.littleEndian, toByteOffset: 20, as: UInt64.self)
        }

        /// The whole block, with the zeros behind its records.
        func finish() -> UnsafeRawBufferPointer {
            bytes.storeBytes(
                of: 0, toByteOffset: SealedIdRun.recordsPerBlock * SealedIdRun.recordBytes, as: UInt64.self)
            return UnsafeRawBufferPointer(bytes)
        }
    }
}
