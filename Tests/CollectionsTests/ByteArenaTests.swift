import GuerdonCore
import Testing

struct ByteArenaTests {
    @Test func piecesReadBackAndNeverMove() {
        let arena = ByteArena()
        defer { arena.deallocate() }
        var random = Generator(3)
        var pieces: [(offset: UInt64, bytes: [UInt8], address: UnsafeRawPointer?)] = []
        for number in 0..<3000 {
            let size = number % 500 == 0 ? ByteArena.pieceLimit : random.below(300)
            let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let alignment = 1 << random.below(7)
            let offset = bytes.withUnsafeBytes { arena.append($0, alignment: alignment) }
            #expect(offset % UInt64(alignment) == 0)
            pieces.append((offset, bytes, arena.bytes(at: offset, count: size).baseAddress))
        }
        let frozen = arena.freeze()
        defer { frozen.release() }
        let end = arena.end
        for _ in 0..<100 { _ = [1, 2, 3].withUnsafeBytes { arena.append($0) } }
        #expect(frozen.end == end && arena.end > end)
        for piece in pieces {
            let bytes = arena.bytes(at: piece.offset, count: piece.bytes.count)
            #expect(bytes.elementsEqual(piece.bytes))
            #expect(bytes.baseAddress == piece.address)
            #expect(frozen.bytes(at: piece.offset, count: piece.bytes.count).elementsEqual(piece.bytes))
        }
    }
}
