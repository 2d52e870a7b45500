import Dispatch
import TestSupport
import Testing

@testable import GuerdonCore

/// Pieces of the regions: whole, apart from each other, and given back.
@Suite struct StateMemoryTests {
    private struct Piece {
        let address: UnsafeMutableRawPointer
        let byteCount: Int
        let mark: UInt8
    }

    @Test func piecesNeverOverlap() { takeAndGive(seed: 7, steps: 6_000) }

    /// Regions are made outside of the lock, made ready ahead, and given back, all while pieces are cut from others.
    @Test func piecesOfSeveralThreadsNeverOverlap() {
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            if thread < 3 { return takeAndGive(seed: UInt64(thread), steps: 2_000) }
            for _ in 0..<20 {
                StateReserve.prepare(byteCount: 8 << 20)
                StateReserve.trim(atMost: 3)
                StateReserve.trim()
            }
        }
    }

    private func takeAndGive(seed: UInt64, steps: Int) {
        var random = SplitMix64(seed: seed)
        var pieces: [Piece] = []
        for step in 0..<steps {
            if pieces.count < 40 || random.below(2) == 0, pieces.count < 300 {
                // From below a page to beyond a region.
                let limit = [200, 16 << 10, 70_000, 600_000, 5 << 20][random.below(step % 100 == 0 ? 5 : 4)]
                let byteCount = 1 + random.below(limit)
                let address = StateMemory.allocate(byteCount: byteCount)
                #expect(UInt(bitPattern: address) % 64 == 0)
                if byteCount >= StateMemory.leastBytes { #expect(UInt(bitPattern: address) % 4_096 == 0) }
                let mark = UInt8(truncatingIfNeeded: step)
                address.initializeMemory(as: UInt8.self, repeating: mark, count: byteCount)
                pieces.append(Piece(address: address, byteCount: byteCount, mark: mark))
            } else {
                free(pieces.remove(at: random.below(pieces.count)))
            }
        }
        for piece in pieces { free(piece) }
    }

    private func free(_ piece: Piece) {
        let bytes = UnsafeRawBufferPointer(start: piece.address, count: piece.byteCount)
        #expect(bytes.allSatisfy { $0 == piece.mark })
        StateMemory.free(piece.address, byteCount: piece.byteCount)
    }
}
