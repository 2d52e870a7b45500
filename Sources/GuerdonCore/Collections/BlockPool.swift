/// Hands out blocks of 64 KiB and takes them back for reuse.
///
/// The columns of one shard share a pool. What the pool holds goes back to the system only with `deallocate()`, so its size is the
/// most that was ever in use at once.
///
/// A handle: copies share one pool. The owner calls `deallocate()` once, after everything that took blocks is gone.
public struct BlockPool: @unchecked Sendable {
    // Sendable by ownership: one thread at a time takes and gives, and a barrier separates the phases of different threads.
    private let header: UnsafeMutablePointer<Header>

    /// The size of every block.
    static let blockBytes = 64 << 10

    private static let lastSlabBlocks = 32

    private struct Header {
        var free: UnsafeMutableRawPointer?
        var fresh: UnsafeMutableRawPointer?
        var freshCount = 0
        var nextSlabBlocks = 1
        var slabs: [(address: UnsafeMutableRawPointer, byteCount: Int)] = []
    }

    /// Makes an empty pool; nothing is allocated before the first block.
    public init() {
        header = .allocate(capacity: 1)
        header.initialize(to: Header())
    }

    /// Takes one block with undefined content.
    func take() -> UnsafeMutableRawPointer {
        if let block = header.pointee.free {
            header.pointee.free = block.load(as: UnsafeMutableRawPointer?.self)
            return block
        }
        return takeFresh()
    }

    /// Gives back a block that `take()` returned.
    func give(_ block: UnsafeMutableRawPointer) {
        block.storeBytes(of: header.pointee.free, as: UnsafeMutableRawPointer?.self)
        header.pointee.free = block
    }

    /// Frees all memory, also that of blocks still taken.
    public func deallocate() {
        for slab in header.pointee.slabs {
            StateMemory.free(slab.address, byteCount: slab.byteCount)
        }
        header.deinitialize(count: 1)
        header.deallocate()
    }

    @inline(never)
    private func takeFresh() -> UnsafeMutableRawPointer {
        if header.pointee.freshCount == 0 {
            let blocks = header.pointee.nextSlabBlocks
            let slab = StateMemory.allocate(byteCount: blocks * Self.blockBytes)
            header.pointee.slabs.append((slab, blocks * Self.blockBytes))
            header.pointee.fresh = slab
            header.pointee.freshCount = blocks
            header.pointee.nextSlabBlocks = min(blocks * 2, Self.lastSlabBlocks)
        }
        let block = header.pointee.fresh.unsafelyUnwrapped
        header.pointee.fresh = block + Self.blockBytes
        header.pointee.freshCount -= 1
        return block
    }
}
