import CIntrinsics

/// What a frozen view of a column shows of lines that the column has changed since: copies of 64 bytes, made before the
/// first write.
///
/// The owner writes rows in place while another thread reads the view. For each chunk a word says which of its 64 lines
/// were put aside. The owner copies a line, sets its bit, and only then changes the line; the reader copies the line,
/// and then looks at the bit: if it is not set, what was copied was still the old content.
struct KeptLines {
    /// Bytes of a chunk: a line for each bit of a word.
    static let chunkBytes = 64 * cacheLineBytes

    /// Chunks whose lines are put aside in one piece of memory: 2 MiB.
    private static let slabShift = 9

    /// A word for each chunk; all are 0 while there is no view.
    private(set) var masks: UnsafeMutablePointer<UInt64>?
    /// Memory as large as the chunks themselves, of which lines are used as they are needed.
    private(set) var slabs: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    private var capacity = 0
    /// Chunks that the view shows.
    private var chunks = 0

    /// Begins a view of so many chunks.
    mutating func begin(chunks: Int) {
        if chunks > capacity {
            deallocate()
            // Room for growth: the next view then finds memory that was touched.
            capacity = chunks + chunks / 4 + 8
            masks = StateMemory.allocate(UInt64.self, count: capacity)
            masks?.initialize(repeating: 0, count: capacity)
            slabs = StateMemory.allocate(UnsafeMutableRawPointer?.self, count: Self.slabCount(capacity))
            slabs?.initialize(repeating: nil, count: Self.slabCount(capacity))
        }
        self.chunks = chunks
    }

    /// Puts lines of a chunk aside that were not yet.
    mutating func keep(_ lines: ClosedRange<Int>, ofChunk chunk: Int, at address: UnsafeRawPointer) {
        let mask = masks.unsafelyUnwrapped + chunk
        var missing = (UInt64.max &>> UInt64(63 - (lines.upperBound - lines.lowerBound))) &<< UInt64(lines.lowerBound)
        missing &= ~mask.pointee
        guard missing != 0 else { return }
        let slab = chunk &>> Self.slabShift
        if slabs.unsafelyUnwrapped[slab] == nil {
            slabs.unsafelyUnwrapped[slab] = StateMemory.allocate(byteCount: slabBytes(slab))
        }
        let target = Self.place(of: chunk, in: UnsafePointer(slabs.unsafelyUnwrapped))
        var rest = missing
        while rest != 0 {
            let offset = rest.trailingZeroBitCount * cacheLineBytes
            (target + offset).copyMemory(from: address + offset, byteCount: cacheLineBytes)
            rest &= rest - 1
        }
        cintrinsics_publish_bits(mask, missing)
    }

    /// Ends the view: what was put aside is of no use any more.
    mutating func end() {
        masks?.update(repeating: 0, count: chunks)
        for slab in 0..<Self.slabCount(chunks) {
            guard let memory = slabs?[slab] else { continue }
            StateMemory.free(memory, byteCount: slabBytes(slab))
            slabs?[slab] = nil
        }
        chunks = 0
    }

    /// Frees everything; there is no view.
    mutating func deallocate() {
        if let masks { StateMemory.free(masks, count: capacity) }
        if let slabs { StateMemory.free(slabs, count: Self.slabCount(capacity)) }
        (masks, slabs, capacity) = (nil, nil, 0)
    }

    /// Where lines of a chunk are put aside.
    static func place(
        of chunk: Int, in slabs: UnsafePointer<UnsafeMutableRawPointer?>
    ) -> UnsafeMutableRawPointer {
        slabs[chunk &>> slabShift].unsafelyUnwrapped + (chunk & (1 << slabShift - 1)) * chunkBytes
    }

    private static func slabCount(_ chunks: Int) -> Int { (chunks + 1 << slabShift - 1) >> slabShift }

    private func slabBytes(_ slab: Int) -> Int {
        min(1 << Self.slabShift, chunks - slab << Self.slabShift) * Self.chunkBytes
    }
}
