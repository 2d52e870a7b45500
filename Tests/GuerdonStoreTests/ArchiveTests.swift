import Glibc
import Testing

@testable import GuerdonStore

struct ArchiveTests {
    /// A log of several small segments.
    static func log(_ path: String, batches: Int, faults: FaultPlan? = nil) throws -> (WriteAheadLog, [Batch]) {
        let directory = try DataDirectory.open(at: path, .readWrite, faults: faults)
        let wal = try WriteAheadLog.open(in: directory, segmentBytes: 4096)
        var model: [Batch] = []
        for index in 0..<batches {
            let batch = Batch.sample(
                wal.lastSequence + 1, count: 2, length: 100 + index * 97 % 700, seed: UInt64(index))
            try wal.append(batch)
            model.append(batch)
        }
        try wal.seal()
        return (wal, model)
    }

    @Test func readersGoThroughArchivesAndSegmentsAlike() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        var (wal, model): (WriteAheadLog?, [Batch]) = try ArchiveTests.log(path, batches: 60)
        let log = try #require(wal?.log)
        var open = try log.reader()
        _ = try open.next()
        #expect(try log.archiveSealedSegments(keepingFrom: 60) > 2)
        #expect(try log.all() == model)
        let archives = try log.archiveSealedSegments()
        #expect(archives > 1)
        #expect(Scratch.names(path + "/wal").filter { $0.hasSuffix(".wal") }.count == 1)
        #expect(try log.all() == model)
        // A reader that was under way when its segment went still sees everything.
        for batch in model.dropFirst() { #expect(try open.next()?.info.firstSequence == batch.first) }
        for batch in model {
            #expect(try log.batch(containing: batch.first + 1).payload == batch.payload)
            #expect(try log.all(from: batch.first).count == model.count - model.firstIndex(of: batch)!)
        }
        wal = nil
        withExtendedLifetime(log) {}
    }

    @Test func aLedgerWithArchivesOpensAndGoesOn() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        var model: [Batch]
        do {
            let (wal, batches) = try ArchiveTests.log(path, batches: 40)
            try wal.log.archiveSealedSegments()
            model = batches
        }
        do {
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 4096)
            #expect(wal.recovery.archives > 3 && wal.recovery.segments == 1 && wal.recovery.firstSequence == 1)
            for index in 0..<40 {
                let batch = Batch.sample(wal.lastSequence + 1, length: 300, seed: UInt64(index))
                try wal.append(batch)
                model.append(batch)
            }
            try wal.log.archiveSealedSegments(atMost: 1)
        }
        let (log, report) = try WriteAheadLog.inspect(DataDirectory.open(at: path, .readOnly))
        #expect(report.segments > 1)
        #expect(try log.all() == model)
    }

    @Test func theZstdToolGivesBackThePlainSegment() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let (wal, _) = try ArchiveTests.log(path, batches: 20)
        let segment = path + "/wal/00000000000000000001.wal"
        let plain = try contents(segment)
        try wal.log.archiveSealedSegments(atMost: 1)
        let archive = path + "/archive/00000000000000000001.wal.zst"
        #expect(try contents(archive).count < plain.count + 1000)
        guard system("command -v zstd >/dev/null 2>&1") == 0 else { return }
        #expect(system("zstd -q -d -c \(archive) > \(path)/plain") == 0)
        #expect(try contents(path + "/plain") == plain)
    }

    /// Every flipped byte and every truncation of an archive: refused with its name, or the content is the same.
    @Test func damagedArchivesAreRefusedWhereverTheyAreHit() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model: [Batch]
        do {
            let (wal, batches) = try ArchiveTests.log(path, batches: 20)
            try wal.log.archiveSealedSegments()
            model = batches
        }
        let archive = path + "/archive/00000000000000000002.wal.zst"
        let whole = try contents(archive)
        func read() throws(StoreError) -> [Batch] {
            try WriteAheadLog.inspect(DataDirectory.open(at: path, .readOnly)).log.all()
        }
        for place in 0..<whole.count {
            var bytes = whole
            bytes[place] ^= UInt8(1 << (place % 8))
            for damaged in [bytes, Array(whole[..<place])] {
                try overwrite(archive, damaged)
                do throws(StoreError) {
                    _ = try read()
                    Issue.record("byte \(place) of \(damaged.count) went unnoticed")
                } catch {
                    #expect(error.file == archive && error.offset != nil, "\(error)")
                }
            }
        }
        unlink(archive)
        #expect(throws: StoreError.self) { _ = try read() }
        try overwrite(archive, whole)
        #expect(try read() == model)
    }

    /// What proves a new archive before its segment goes, without decompressing it.
    @Test func verifyingAnArchiveFindsEveryFlippedByte() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        do {
            let (wal, _) = try ArchiveTests.log(path, batches: 12)
            try wal.log.archiveSealedSegments(atMost: 1)
        }
        let directory = try DataDirectory.open(at: path, .readOnly)
        let file = path + "/archive/00000000000000000001.wal.zst"
        try Archive(1, in: directory).verify()
        let whole = try contents(file)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= UInt8(1 << (place % 8))
            try overwrite(file, bytes)
            #expect(throws: StoreError.self, "byte \(place)") { try Archive(1, in: directory).verify() }
        }
    }

    @Test func framesAreCutWhereRecordsEndAndHoldTheWholeSegment() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let directory = try DataDirectory.open(at: path, .readWrite)
        let wal = try WriteAheadLog.open(in: directory, segmentBytes: 4 << 20)
        var model: [Batch] = []
        // Records of very different lengths, one of them longer than a frame and than what is read at once.
        for index in 0..<90 {
            let length = index == 40 ? 2_500_000 : index % 9 == 0 ? 190_000 : 3_000 + index * 311
            let batch = Batch.sample(wal.lastSequence + 1, count: 2, length: length, seed: UInt64(index))
            try wal.append(batch)
            model.append(batch)
        }
        try wal.seal()
        let plain = try contents(path + "/wal/00000000000000000001.wal")
        try wal.log.archiveSealedSegments()
        let archive = try Archive(1, in: directory)
        #expect(archive.frames.count > 4)
        for (frame, next) in zip(archive.frames, archive.frames.dropFirst()) {
            #expect(Int(frame.rawLength) >= StoreLimits.archiveFrame && frame.sequence < next.sequence)
        }
        var bytes = [UInt8](repeating: 0, count: plain.count)
        #expect(try bytes.withUnsafeMutableBytes { try archive.read(into: $0, at: 0) } == plain.count)
        #expect(bytes == plain)
        #expect(try wal.log.all() == model)
    }

    @Test func aCrashBeforeThePlainSegmentWentIsRepaired() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let faults = FaultPlan()
        var (wal, model): (WriteAheadLog?, [Batch]) = try ArchiveTests.log(path, batches: 30, faults: faults)
        faults.fail(.rename, nth: 2, errorNumber: EIO)
        #expect(throws: StoreError.self) { _ = try wal?.log.archiveSealedSegments(atMost: 1) }
        wal = nil
        #expect(Scratch.names(path + "/archive").count == 1)
        #expect(try WriteAheadLog.inspect(DataDirectory.open(at: path, .readOnly)).log.all() == model)
        wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 4096)
        #expect(Scratch.names(path + "/archive").isEmpty)
        try wal?.log.archiveSealedSegments()
        #expect(try wal?.log.all() == model)
    }

    @Test(arguments: [FaultPlan.Operation.write, .sync, .rename, .open, .read])
    func aFailedArchivingLosesNothing(operation: FaultPlan.Operation) throws {
        for nth in 1...12 {
            let scratch = Scratch()
            let path = try scratch.ledger()
            let faults = FaultPlan()
            let (wal, model) = try ArchiveTests.log(path, batches: 12, faults: faults)
            faults.fail(operation, nth: nth, errorNumber: ENOSPC)
            let failed = (try? wal.log.archiveSealedSegments()) == nil
            faults.heal()
            #expect(try wal.log.all() == model)
            try wal.log.archiveSealedSegments()
            #expect(try wal.log.all() == model)
            if !failed { break }
        }
    }
}
