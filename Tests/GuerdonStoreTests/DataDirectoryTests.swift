import Glibc
import Testing

@testable import GuerdonStore

struct DataDirectoryTests {
    static func refusal(_ body: () throws -> Void) -> StoreError.Code? {
        #expect(throws: StoreError.self) { try body() }?.code
    }

    @Test func aMissingOrEmptyDirectoryIsNoNewLedger() throws {
        let scratch = Scratch()
        for access in [DataDirectory.Access.readWrite, .readOnly] {
            #expect(
                DataDirectoryTests.refusal { _ = try DataDirectory.open(at: scratch.path + "/none", access) }
                    == .directoryMissing)
            #expect(
                DataDirectoryTests.refusal { _ = try DataDirectory.open(at: scratch.path, access) } == .notInitialized)
        }
        #expect(Scratch.names(scratch.path).isEmpty)
    }

    @Test func aNewLedgerIsMadeOnceAndForItsOwnerOnly() throws {
        let scratch = Scratch()
        let path = scratch.path + "/ledger"
        try DataDirectory.create(at: path)
        #expect(DataDirectoryTests.refusal { try DataDirectory.create(at: path) } == .directoryNotEmpty)
        let directory = try DataDirectory.open(at: path, .readWrite)
        let wal = try WriteAheadLog.open(in: directory)
        #expect(wal.lastSequence == 0 && wal.recovery.tornTail == nil)
        for (name, mode) in [("", 0o700), ("/wal", 0o700), ("/superblock", 0o600), (LogDamageTests.first, 0o600)] {
            var status = stat()
            #expect(stat(path + name, &status) == 0)
            #expect(Int(status.st_mode & 0o777) == mode, "\(name)")
        }
        chmod(path, 0o755)
        #expect(directory.hashSeed.count == 4 && Set(directory.hashSeed).count == 4)
    }

    @Test func anOpenModeIsTightened() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        chmod(path, 0o755)
        _ = try DataDirectory.open(at: path, .readWrite)
        var status = stat()
        stat(path, &status)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test func somethingElseIsNotTurnedIntoALedger() throws {
        let scratch = Scratch()
        try overwrite(scratch.path + "/letter.txt", [65])
        #expect(DataDirectoryTests.refusal { try DataDirectory.create(at: scratch.path) } == .directoryNotEmpty)
        #expect(Scratch.names(scratch.path) == ["letter.txt"])
    }

    @Test func aSecondOpenerIsTurnedAway() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        do {
            let holder = try DataDirectory.open(at: path, .readWrite)
            for access in [DataDirectory.Access.readWrite, .readOnly] {
                #expect(DataDirectoryTests.refusal { _ = try DataDirectory.open(at: path, access) } == .directoryLocked)
            }
            withExtendedLifetime(holder) {}
        }
        let one = try DataDirectory.open(at: path, .readOnly)
        let two = try DataDirectory.open(at: path, .readOnly)
        #expect(DataDirectoryTests.refusal { _ = try DataDirectory.open(at: path, .readWrite) } == .directoryLocked)
        #expect(one.identity == two.identity)
    }

    @Test func aDeletedLockFileIsNotReplaced() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let holder = try DataDirectory.open(at: path, .readWrite)
        unlink(path + "/lock")
        #expect(throws: StoreError.self) { _ = try DataDirectory.open(at: path, .readWrite) }
        withExtendedLifetime(holder) {}
    }

    @Test func everyDamagedSuperblockIsRefused() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let file = path + "/superblock"
        let whole = try contents(file)
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try overwrite(file, bytes)
            #expect(
                DataDirectoryTests.refusal { _ = try DataDirectory.open(at: path, .readWrite) } == .superblockDamaged)
        }
        for length in 0..<whole.count {
            try overwrite(file, Array(whole[..<length]))
            #expect(
                DataDirectoryTests.refusal { _ = try DataDirectory.open(at: path, .readOnly) } == .superblockDamaged)
        }
        unlink(file)
        #expect(DataDirectoryTests.refusal { _ = try DataDirectory.open(at: path, .readWrite) } == .notInitialized)
        try overwrite(file, whole)
        #expect(try DataDirectory.open(at: path, .readWrite).hashSeed == [1, 2, 3, 4])
    }

    @Test(arguments: [FaultPlan.Operation.open, .write, .sync, .rename], [EACCES, EROFS, ENOSPC, EIO])
    func aCreationCutShortCanBeRepeated(operation: FaultPlan.Operation, number: Int32) throws {
        for nth in 1...20 {
            let scratch = Scratch()
            let path = scratch.path + "/ledger"
            let superblock = Superblock(identity: LedgerIdentity(low: 1, high: 2), seed: [1, 2, 3, 4])
            let faults = FaultPlan()
            faults.fail(operation, nth: nth, errorNumber: number)
            do throws(StoreError) {
                try DataDirectory.create(at: path, superblock: superblock, faults: faults)
                break
            } catch {
                switch number {
                case ENOSPC: #expect(operation == .sync || error.code == .diskFull)
                case EIO: #expect(error.isFatal)
                default: #expect(operation == .sync || error.code == .notPermitted)
                }
            }
            if !FileSystem(faults: nil).exists(path + "/superblock") {
                #expect(
                    DataDirectoryTests.refusal { _ = try DataDirectory.open(at: path, .readWrite) } == .notInitialized)
                try DataDirectory.create(at: path, superblock: superblock)
            }
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite))
            try wal.append(Batch.sample(1, length: 10, seed: 1))
            try wal.seal()
        }
    }

    @Test func anErrorTellsWhatWhereAndWhatToDo() {
        let error = StoreError.system("write", "/data/wal/1.wal", ENOSPC, offset: 77)
        #expect(error.code == .diskFull)
        #expect(
            error.description
                == "disk_full: cannot write (file /data/wal/1.wal, offset 77): No space left on device. "
                + "Free space on the file system; nothing acknowledged was lost")
    }
}
