import TestSupport
import Testing

@testable import GuerdonCore

struct ByteArenaTests {
    @Test func piecesReadBackAndNeverMove() {
        let arena = ByteArena()
        defer { arena.deallocate() }
        var random = SplitMix64(seed: 3)
        var pieces: [(offset: UInt64, bytes: [UInt8], address: UnsafeRawPointer?)] = []
        for number in 0..<3000 {
            let size = number % 500 == 0 ? ByteArena.pieceLimit : random.below(300)
            let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let alignment = 1 << random.below(7)
            let offset = bytes.withUnsafeBytes { arena.append($0, alignment: alignment) }
            #expect(offset % UInt64(alignment) == 0)
            pieces.append((offset, bytes, size > 0 ? arena.address(of: Int(offset)) : nil))
        }
        let frozen = arena.freeze()
        defer { frozen.release() }
        for _ in 0..<100 { _ = [1, 2, 3].withUnsafeBytes { arena.append($0, alignment: 1) } }
        for piece in pieces {
            let address = piece.bytes.isEmpty ? nil : arena.address(of: Int(piece.offset))
            #expect(address == piece.address)
            #expect(UnsafeRawBufferPointer(start: address, count: piece.bytes.count).elementsEqual(piece.bytes))
            #expect(frozen.bytes(at: piece.offset, count: piece.bytes.count).elementsEqual(piece.bytes))
        }
    }
}

extension ByteArena {
    /// Copies `bytes` to the end and gives their offset, a multiple of `alignment`.
    fileprivate func append(_ bytes: UnsafeRawBufferPointer, alignment: Int) -> UInt64 {
        let offset = reserve(bytes.count, alignment: alignment)
        if let source = bytes.baseAddress {
            writableAddress(of: offset).copyMemory(from: source, byteCount: bytes.count)
        }
        return UInt64(offset)
    }
}
