import Glibc
import TestSupport
import Testing

@testable import GuerdonStore

struct SnapshotTests {
    struct Piece: Equatable {
        var section: UInt32
        var bytes: [UInt8]
    }

    static func pieces(_ seed: UInt64, count: Int = 5, largest: Int = 60) -> [Piece] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { index in
            let length = Int.random(in: 0...largest, using: &random)
            // Half random, half repetitive, so that frames of both kinds occur.
            let bytes = (0..<length).map { _ in
                index.isMultiple(of: 2) ? UInt8.random(in: 0...255, using: &random) : UInt8(index)
            }
            return Piece(section: UInt32(index % 3), bytes: bytes)
        }
    }

    static func write(_ pieces: [Piece], sequence: UInt64, in directory: DataDirectory) throws {
        let writer = try SnapshotWriter(in: directory, sequence: sequence, chain: sequence &* 77, time: 5)
        for piece in pieces { try writer.write(section: piece.section, piece.bytes) }
        try writer.finish()
    }

    static func read(_ reader: SnapshotReader) throws -> [Piece] {
        var result: [Piece] = []
        while let chunk = try reader.next() {
            result.append(Piece(section: chunk.section, bytes: [UInt8](chunk.bytes)))
        }
        return result
    }

    @Test func chunksComeBackAsWritten() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        let pieces = SnapshotTests.pieces(1, count: 40, largest: 300_000)
        try SnapshotTests.write(pieces, sequence: 12, in: directory)
        let choice = try Snapshots.newestValid(in: directory)
        let reader = try #require(choice.reader)
        #expect(choice.rejected.isEmpty)
        #expect(reader.info == SnapshotInfo(sequence: 12, chain: 924, time: 5))
        #expect(reader.chunkCount == 40)
        #expect(try SnapshotTests.read(reader) == pieces)
        #expect(reader.rawBytes == UInt64(pieces.reduce(0) { $0 + $1.bytes.count }))
        #expect(Scratch.names(directory.path + "/snapshots") == ["00000000000000000012.snap"])
    }

    @Test func theNewestTwoAreKept() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        #expect(try Snapshots.newestValid(in: directory).reader == nil)
        for sequence in [UInt64(5), 9, 20, 31] {
            try SnapshotTests.write(SnapshotTests.pieces(sequence), sequence: sequence, in: directory)
        }
        #expect(try Snapshots.list(in: directory) == [20, 31])
        #expect(try Snapshots.newestValid(in: directory, atMost: 30).reader?.info.sequence == 20)
    }

    @Test func unreadableNewestFallsBackToTheOneBeforeAndIsReported() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        try SnapshotTests.write(SnapshotTests.pieces(1), sequence: 5, in: directory)
        try SnapshotTests.write(SnapshotTests.pieces(2), sequence: 9, in: directory)
        let path = Snapshots.path(9, in: directory)
        var bytes = try contents(path)
        bytes[100] ^= 4
        try overwrite(path, bytes)
        let choice = try Snapshots.newestValid(in: directory)
        #expect(choice.reader?.info.sequence == 5)
        #expect(choice.rejected.map(\.code) == [.snapshotDamaged])
        #expect(choice.rejected[0].file == path)
        #expect(try Snapshots.list(in: directory) == [5])
    }

    @Test func everyFlippedBitAndEveryTruncationIsRefused() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        try SnapshotTests.write(SnapshotTests.pieces(3), sequence: 7, in: directory)
        let path = Snapshots.path(7, in: directory)
        let whole = try contents(path)
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try SnapshotTests.expectRefusal(bytes, path, directory)
        }
        for length in 0..<whole.count { try SnapshotTests.expectRefusal(Array(whole[..<length]), path, directory) }
        try SnapshotTests.expectRefusal(whole + [0], path, directory)
        try overwrite(path, whole)
        #expect(try SnapshotTests.read(SnapshotReader(sequence: 7, in: directory)) == SnapshotTests.pieces(3))
    }

    static func expectRefusal(_ bytes: [UInt8], _ path: String, _ directory: DataDirectory) throws {
        try overwrite(path, bytes)
        do throws(StoreError) {
            try SnapshotReader(sequence: 7, in: directory).verify()
            Issue.record("a damaged snapshot of \(bytes.count) bytes was accepted")
        } catch {
            #expect(error.file == path && error.offset != nil)
        }
    }

    @Test(arguments: [5, 900]) func aSnapshotOfAnotherLedgerIsRefused(sequence: UInt64) throws {
        let scratch = Scratch()
        let other = try DataDirectory.open(at: scratch.ledger("other", identity: 2), .readWrite)
        try SnapshotTests.write(SnapshotTests.pieces(1), sequence: sequence, in: other)
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        try SnapshotTests.write(SnapshotTests.pieces(1), sequence: 7, in: directory)
        let path = Snapshots.path(sequence, in: directory)
        try overwrite(path, contents(Snapshots.path(sequence, in: other)))
        // Behind the end of the log as well: it would be counted among those kept.
        try SnapshotTests.expectForeign(path, directory)
        try directory.system.remove(path)
        #expect(try Snapshots.newestValid(in: directory, atMost: 10).reader?.info.sequence == 7)
    }

    @Test func aSnapshotWithAnotherHashSeedIsRefused() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let directory = try DataDirectory.open(at: path, .readWrite)
        try SnapshotTests.write(SnapshotTests.pieces(1), sequence: 5, in: directory)
        let snapshot = Snapshots.path(5, in: directory)
        let twin = scratch.path + "/twin"
        try DataDirectory.create(at: twin, superblock: Superblock(identity: directory.identity, seed: [1, 2, 3, 5]))
        let other = try DataDirectory.open(at: twin, .readWrite)
        let copy = Snapshots.path(5, in: other)
        try overwrite(copy, contents(snapshot))
        try SnapshotTests.expectForeign(copy, other)
        // Snapshots of before say nothing of their seed.
        var bytes = try contents(snapshot)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(0 as UInt32, at: 56)
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, 60)), at: 60)
        }
        try overwrite(snapshot, bytes)
        #expect(try Snapshots.newestValid(in: directory).reader?.info.sequence == 5)
    }

    static func expectForeign(_ path: String, _ directory: DataDirectory) throws {
        do throws(StoreError) {
            _ = try Snapshots.newestValid(in: directory, atMost: 10)
            Issue.record("a foreign snapshot was passed over")
        } catch {
            #expect(error.code == .foreignFile && error.file == path)
        }
    }

    @Test func aLengthBeyondTheBoundIsRefusedBeforeMemoryIsTaken() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        try SnapshotTests.write(SnapshotTests.pieces(3), sequence: 7, in: directory)
        let path = Snapshots.path(7, in: directory)
        var bytes = try contents(path)
        // A well-formed header that promises four gigabytes.
        bytes.withUnsafeMutableBytes { buffer in
            let header = SnapshotChunkHeader(UnsafeRawBufferPointer(buffer).slice(64, 32))!
            var bomb = header
            bomb.rawLength = .max
            bomb.encode(to: UnsafeMutableRawBufferPointer(rebasing: buffer[64..<96]))
        }
        try SnapshotTests.expectRefusal(bytes, path, directory)
    }

    @Test(arguments: [FaultPlan.Operation.write, .sync, .rename, .open])
    func aFailedSnapshotLeavesTheOldOneAndNoRemains(operation: FaultPlan.Operation) throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let faults = FaultPlan()
        let directory = try DataDirectory.open(at: path, .readWrite, faults: faults)
        try SnapshotTests.write(SnapshotTests.pieces(1), sequence: 5, in: directory)
        for nth in 1...40 {
            faults.fail(operation, nth: nth, errorNumber: nth % 2 == 0 ? ENOSPC : EIO)
            do throws(StoreError) {
                let writer = try SnapshotWriter(in: directory, sequence: 9, chain: 1, time: 5)
                for piece in SnapshotTests.pieces(2) { try writer.write(section: piece.section, piece.bytes) }
                try writer.finish()
                break  // fewer than `nth` operations were needed
            } catch {
                #expect(error.errorNumber == (nth % 2 == 0 ? ENOSPC : EIO))
            }
            faults.heal()
            #expect(Scratch.names(path + "/snapshots").allSatisfy { !$0.hasSuffix(".tmp") })
            #expect(try Snapshots.newestValid(in: directory).reader != nil)
        }
    }
}
