/// Memory for the nodes of a `RankTree`: blocks of one size, cut from slabs that double, and used again.
struct RankBlocks {
    private let byteCount: Int
    private var free: UnsafeMutableRawPointer?
    private var fresh: UnsafeMutableRawPointer?
    private var freshCount = 0
    private var nextSlabBlocks = 1
    private var slabs: [(address: UnsafeMutableRawPointer, byteCount: Int)] = []
    private var usedBlocks = 0

    private static let slabBlocksLimit = 64

    init(byteCount: Int) { self.byteCount = byteCount }

    var usedBytes: Int { usedBlocks * byteCount }

    mutating func take() -> UnsafeMutableRawPointer {
        usedBlocks += 1
        if let block = free {
            free = block.load(as: UnsafeMutableRawPointer?.self)
            return block
        }
        if freshCount == 0 {
            let bytes = nextSlabBlocks * byteCount
            let slab = StateMemory.allocate(byteCount: bytes)
            // Bytes of unused places are read, though never used: they must not be undefined.
            slab.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            slabs.append((slab, bytes))
            fresh = slab
            freshCount = nextSlabBlocks
            nextSlabBlocks = min(nextSlabBlocks * 2, Self.slabBlocksLimit)
        }
        let block = fresh.unsafelyUnwrapped
        fresh = block + byteCount
        freshCount -= 1
        return block
    }

    mutating func give(_ block: UnsafeMutableRawPointer) {
        usedBlocks -= 1
        block.storeBytes(of: free, as: UnsafeMutableRawPointer?.self)
        free = block
    }

    func deallocate() {
        for slab in slabs { StateMemory.free(slab.address, byteCount: slab.byteCount) }
    }
}
