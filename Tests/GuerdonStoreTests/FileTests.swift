import Glibc
import TestSupport
import Testing

@testable import GuerdonStore

/// Files as the store uses them, where it does not simply pass on what the system does.
struct FileTests {
    private static func write(_ count: Int, to path: String, seed: UInt64) throws -> [UInt8] {
        var random = SplitMix64(seed: seed)
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        try overwrite(path, bytes)
        return bytes
    }

    /// Of a length that is no multiple of anything, in any order, across the bounds of what is read at once, and beyond the end.
    @Test func readingPastTheCacheGivesTheBytesOfTheFile() throws {
        let scratch = Scratch()
        let path = scratch.path + "/file"
        let bytes = try Self.write(2_500_777, to: path, seed: 3)
        let file = try File(path, .readDevice, faults: nil)
        var random = SplitMix64(seed: 4)
        for round in 0..<400 {
            let offset = round.isMultiple(of: 7) ? bytes.count - round : Int.random(in: 0...bytes.count, using: &random)
            let count = Int.random(in: 0...(round.isMultiple(of: 20) ? 1_500_000 : 9_000), using: &random)
            let expected = bytes[offset..<min(offset + count, bytes.count)]
            let read = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
                filled = try file.read(into: room, at: UInt64(offset))
            }
            #expect(read.elementsEqual(expected), "offset \(offset), count \(count)")
        }
        #expect(try file.bytes(at: UInt64(bytes.count), count: 1) == nil)
        #expect(try file.bytes(at: UInt64(bytes.count) + 5_000_000, count: 1) == nil)
    }

    @Test func anEmptyFileIsReadPastTheCache() throws {
        let scratch = Scratch()
        let path = scratch.path + "/file"
        _ = try Self.write(0, to: path, seed: 1)
        let file = try File(path, .readDevice, faults: nil)
        #expect(try file.bytes(at: 0, count: 1) == nil)
    }

    @Test func aLargeFileLosesItsNameAtOnceAndItsBlocksPieceByPiece() throws {
        let scratch = Scratch()
        let path = scratch.path + "/file"
        _ = try Self.write(10 << 20 + 5, to: path, seed: 1)
        let system = FileSystem(faults: nil)
        var pieces = 0
        try system.removeGradually(path) {
            #expect(!system.exists(path))
            pieces += 1
            return false
        }
        #expect(pieces == 2)
        try system.removeGradually(path)
    }

    /// A copy by a link, as backups make them, and a copy that is being made.
    @Test(arguments: ["link", "reader"]) func whatSomebodyElseHasKeepsItsContent(_ holder: String) throws {
        let scratch = Scratch()
        let path = scratch.path + "/file"
        let bytes = try Self.write(9 << 20, to: path, seed: 1)
        let held = holder == "reader" ? try File(path, .read, faults: nil) : nil
        if held == nil { #expect(link(path, path + ".copy") == 0) }
        let system = FileSystem(faults: nil)
        try system.removeGradually(path)
        #expect(!system.exists(path))
        let rest = try held ?? File(path + ".copy", .read, faults: nil)
        #expect(try rest.bytes(at: 0, count: bytes.count) == bytes)
    }

    @Test func whoIsInAHurryRemovesAFileInOnePiece() throws {
        let scratch = Scratch()
        let path = scratch.path + "/file"
        _ = try Self.write(9 << 20, to: path, seed: 1)
        var asked = 0
        try FileSystem(faults: nil).removeGradually(path) {
            asked += 1
            return true
        }
        #expect(asked == 1)
        #expect(!FileSystem(faults: nil).exists(path))
    }
}
