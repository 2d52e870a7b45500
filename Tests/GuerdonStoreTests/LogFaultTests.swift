import Glibc
import TestSupport
import Testing

@testable import GuerdonStore

/// The log against failing system calls: what was synced is found again, nothing else is promised.
struct LogFaultTests {
    /// Appends, syncs and seals until something fails or 40 batches are in; what was synced, and the error.
    static func run(_ path: String, _ faults: FaultPlan, _ arm: () -> Void) throws -> (
        synced: [Batch], error: StoreError?
    ) {
        var synced: [Batch] = []
        var pending: [Batch] = []
        do throws(StoreError) {
            let directory = try DataDirectory.open(at: path, .readWrite, faults: faults)
            let wal = try WriteAheadLog.open(in: directory, segmentBytes: 4096)
            arm()
            for index in 0..<40 {
                let batch = Batch.sample(wal.lastSequence + 1, length: index * 53 % 400, seed: UInt64(index))
                try wal.append(batch)
                pending.append(batch)
                guard index % 3 == 2 else { continue }
                if index % 6 == 5 { try wal.seal() } else { try wal.sync() }
                synced += pending
                pending = []
            }
            return (synced, nil)
        } catch {
            return (synced, error)
        }
    }

    @Test(arguments: [FaultPlan.Operation.write, .sync, .rename, .truncate, .allocate, .open], [EIO, ENOSPC])
    func everyFailingCallStopsTheLogAndLosesNothingSynced(operation: FaultPlan.Operation, number: Int32) throws {
        var failures = 0
        for nth in 1...60 {
            let scratch = Scratch()
            let path = try scratch.ledger()
            let faults = FaultPlan()
            let (synced, error) = try LogFaultTests.run(path, faults) {
                faults.fail(operation, nth: nth, repeats: nth % 2 == 0, errorNumber: number, partial: nth * 7 % 90)
            }
            guard let error else { break }
            failures += 1
            #expect(error.errorNumber == number)
            #expect(error.isFatal || error.code == .diskFull)
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 4096)
            let found = try wal.log.all()
            #expect(Array(found.prefix(synced.count)) == synced)
            let more = Batch.sample(wal.lastSequence + 1, length: 9, seed: 1)
            try wal.append(more)
            try wal.sync()
            #expect(try wal.log.all() == found + [more])
        }
        #expect(failures > 0)
    }

    @Test(arguments: [FaultPlan.Operation.read, .write, .sync, .truncate, .open, .rename])
    func aFailureDuringRecoveryIsReportedAndTheNextStartSucceeds(operation: FaultPlan.Operation) throws {
        let scratch = Scratch()
        let source = try scratch.ledger("source")
        let model = try LogDamageTests.make(source, batches: 9, syncedBatches: 5, sealed: false)
        let file = source + LogDamageTests.first
        var bytes = try contents(file)
        bytes[64 + model[..<7].reduce(0) { $0 + 64 + RecordHeader.padded($1.payload.count) } + 5] ^= 1
        try overwrite(file, bytes)
        let path = scratch.path + "/copy"
        for nth in 1...30 {
            TemporaryDirectory.remove(path)
            try copyTree(source, path)
            let faults = FaultPlan()
            faults.fail(operation, nth: nth, errorNumber: EIO)
            let failed: Bool
            do throws(StoreError) {
                _ = try WriteAheadLog.open(
                    in: DataDirectory.open(at: path, .readWrite, faults: faults), segmentBytes: 8192)
                failed = false
            } catch {
                #expect(error.errorNumber == EIO)
                failed = true
            }
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 8192)
            #expect(try wal.log.all() == Array(model[..<7]))
            if !failed { break }
        }
    }

    @Test func diskFullIsSaidAndTheLogGoesOnWhenSpaceReturns() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let faults = FaultPlan()
        var model: [Batch] = []
        do {
            let wal = try WriteAheadLog.open(
                in: DataDirectory.open(at: path, .readWrite, faults: faults), segmentBytes: 4096)
            for index in 0..<60 {
                let batch = Batch.sample(wal.lastSequence + 1, length: index * 53 % 400, seed: UInt64(index))
                // Space runs out while blocks are reserved, while the record is written, or after half of it.
                faults.fail(index % 2 == 0 ? .write : .allocate, errorNumber: ENOSPC, partial: index * 11 % 100)
                do throws(StoreError) { try wal.append(batch) } catch {
                    #expect(error.code == .diskFull && !error.isFatal)
                    #expect(try wal.log.all() == model)
                    faults.heal()
                    try wal.append(batch)
                }
                faults.heal()
                model.append(batch)
                if index % 10 == 9 { try wal.seal() }
            }
            #expect(try wal.log.all() == model)
        }
        #expect(try LogDamageTests.read(path).batches == model)
    }

    @Test func afterAFailedSyncNothingMoreIsAccepted() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let faults = FaultPlan()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite, faults: faults))
        try wal.append(Batch.sample(1, length: 10, seed: 1))
        faults.fail(.sync, errorNumber: EIO)
        var error = #expect(throws: StoreError.self) { try wal.sync() }
        #expect(error?.code == .syncFailed && error?.isFatal == true)
        let syncs = faults.count(of: .sync)
        error = #expect(throws: StoreError.self) { try wal.sync() }
        #expect(error?.code == .logFailed)
        error = #expect(throws: StoreError.self) { try wal.append(Batch.sample(2, length: 10, seed: 1)) }
        #expect(error?.code == .logFailed)
        error = #expect(throws: StoreError.self) { try wal.seal() }
        #expect(error?.code == .logFailed)
        #expect(faults.count(of: .sync) == syncs && wal.syncedThrough == 0)
    }

    @Test func aRealSmallFileSystemFillsUpWithoutHarm() throws {
        let scratch = Scratch()
        let mountPoint = scratch.path + "/small"
        mkdir(mountPoint, 0o700)
        // Needs privileges; the injected variant above always runs.
        guard mount("tmpfs", mountPoint, "tmpfs", 0, "size=192k") == 0 else { return }
        defer { umount2(mountPoint, Int32(MNT_DETACH)) }
        let path = mountPoint + "/ledger"
        try DataDirectory.create(at: path)
        var model: [Batch] = []
        do {
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 32768)
            var full: StoreError?
            while full == nil {
                let batch = Batch.sample(wal.lastSequence + 1, length: 3000, seed: wal.lastSequence)
                do throws(StoreError) {
                    try wal.append(batch)
                    model.append(batch)
                } catch { full = error }
            }
            #expect(full?.code == .diskFull)
            #expect(try wal.log.all() == model)
            try wal.sync()
        }
        #expect(try LogDamageTests.read(path).batches == model)
    }
}
