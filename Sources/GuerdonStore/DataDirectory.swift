import Glibc

/// A ledger's directory, locked for this process.
///
/// ```swift
/// try DataDirectory.create(at: "/var/lib/guerdon")
/// let directory = try DataDirectory.open(at: "/var/lib/guerdon", .readWrite)
/// let log = try WriteAheadLog.open(in: directory)
/// ```
///
/// The lock lives as long as the value: keep it while anything inside the directory is in use. A missing or empty
/// directory is never taken for a new ledger; only ``create(at:)`` makes one.
public final class DataDirectory: Sendable {
    /// What the opener means to do.
    public enum Access: Sendable {
        /// Serve: exclusive.
        case readWrite
        /// Inspect a stopped ledger: shared with other readers, refused while a server runs, changes nothing.
        case readOnly
    }

    /// Path as given.
    public let path: String
    /// What the opener may do.
    public let access: Access
    /// The ledger's name, for ever.
    public var identity: LedgerIdentity { superblock.identity }
    /// 32 bytes of seed for hash tables on untrusted keys, as four words; part of the ledger.
    public var hashSeed: [UInt64] { superblock.seed }

    let superblock: Superblock
    let system: FileSystem
    private let lock: Int32

    private init(path: String, access: Access, superblock: Superblock, system: FileSystem, lock: Int32) {
        self.path = path
        self.access = access
        self.superblock = superblock
        self.system = system
        self.lock = lock
    }

    deinit { close(lock) }

    var walPath: String { path + "/wal" }
    var archivePath: String { path + "/archive" }
    var snapshotPath: String { path + "/snapshots" }
    var historyPath: String { path + "/history" }
    var idsPath: String { path + "/ids" }

    /// Makes a new, empty ledger at `path`, which must be missing or empty.
    ///
    /// The superblock is written last: a creation that was cut short leaves a directory that
    /// ``open(at:_:faults:)`` refuses and a second call completes.
    public static func create(at path: String) throws(StoreError) {
        // The system's generator: unpredictable, as the seed must be.
        let words = (0..<6).map { _ in UInt64.random(in: 0...UInt64.max) }
        let identity = LedgerIdentity(low: words[0], high: words[1])
        try create(at: path, superblock: Superblock(identity: identity, seed: Array(words[2...])))
    }

    /// As ``create(at:)`` with a chosen identity and seed.
    static func create(at path: String, superblock: Superblock, faults: FaultPlan? = nil) throws(StoreError) {
        let system = FileSystem(faults: faults)
        // A cut-short creation leaves these; anything else is somebody's.
        let ours: Set<String> = ["lock", "superblock.tmp", "wal", "archive", "snapshots", "history", "ids"]
        if let names = try system.list(path), let other = names.first(where: { !ours.contains($0) }) {
            throw StoreError(
                .directoryNotEmpty, file: path, detail: "cannot make a new ledger where '\(other)' already is",
                advice: "Open the directory if it is a ledger, or name an empty one")
        }
        try system.makeDirectory(path)
        let lock = try takeLock(path, exclusive: true, create: true)
        defer { close(lock) }
        guard !system.exists(path + "/superblock") else {
            throw StoreError(.directoryNotEmpty, file: path, detail: "another process just made a ledger here")
        }
        for name in ["wal", "archive", "snapshots", "history", "ids"] { try system.makeDirectory(path + "/" + name) }
        for name in try system.list(path + "/wal") ?? [] { try system.remove(path + "/wal/" + name) }
        let first = SegmentHeader(
            identity: superblock.identity, index: 1, firstSequence: 1,
            chain: Chain.initial(superblock.identity))
        _ = try Segment.create(first, in: path + "/wal", reserving: 0, system: system)
        try system.replace(path + "/superblock", in: path, with: superblock.encoded())
        try system.syncDirectory(parent(of: path))
    }

    /// Opens and locks the ledger at `path`.
    ///
    /// - Throws: `directory_missing`, `not_initialized`, `directory_locked`, `not_permitted`, `superblock_damaged` or
    ///   `unsupported_version`; nothing in the directory has been touched then.
    public static func open(at path: String, _ access: Access) throws(StoreError) -> DataDirectory {
        try open(at: path, access, faults: nil)
    }

    /// As ``open(at:_:)``, with every file operation below subject to `faults`.
    package static func open(at path: String, _ access: Access, faults: FaultPlan?) throws(StoreError) -> DataDirectory
    {
        let system = FileSystem(faults: faults)
        guard let names = try system.list(path) else {
            throw StoreError(
                .directoryMissing, file: path, detail: "there is no data directory here",
                advice: "Check the path, or make a new ledger with serve --init")
        }
        guard names.contains("superblock") else {
            throw StoreError(
                .notInitialized, file: path,
                detail: names.isEmpty ? "the directory is empty" : "the directory holds no ledger",
                advice: "Check the path and that the disk is mounted, or make a new ledger with serve --init")
        }
        let lock = try takeLock(path, exclusive: access == .readWrite, create: false)
        do throws(StoreError) {
            let file = try system.open(path + "/superblock", .read)
            let length = try file.size
            let bytes = try file.bytes(at: 0, count: Int(min(length, 4096))) ?? []
            let superblock = try Superblock(bytes, path: path + "/superblock")
            if access == .readWrite {
                try protect(path)
                try prepare(path, system)
            }
            return DataDirectory(path: path, access: access, superblock: superblock, system: system, lock: lock)
        } catch {
            close(lock)
            throw error
        }
    }

    /// Removes what a crash left half made; none of it had ever taken its name.
    private static func prepare(_ path: String, _ system: FileSystem) throws(StoreError) {
        try system.remove(path + "/superblock.tmp")
        for name in ["wal", "archive", "snapshots", "history", "ids"] {
            let part = path + "/" + name
            try system.makeDirectory(part)
            for file in try system.list(part) ?? [] where file.hasSuffix(".tmp") {
                try system.remove(part + "/" + file)
            }
        }
    }

    private static func takeLock(_ path: String, exclusive: Bool, create: Bool) throws(StoreError) -> Int32 {
        let name = path + "/lock"
        let flags = (exclusive ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW
        // Left to the kernel: the lock goes with the process, however it ends.
        let descriptor = Glibc.open(name, flags, 0o600)
        guard descriptor >= 0 else { throw StoreError.system("open the lock file", name, errno) }
        // A holder that was just killed may still be on its way out; one that serves is not waited for.
        var attempts = 20
        while flock(descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 {
            let number = errno
            if number == EWOULDBLOCK || number == EINTR, attempts > 0 {
                attempts -= 1
                usleep(10_000)
                continue
            }
            close(descriptor)
            if number == EWOULDBLOCK {
                throw StoreError(
                    .directoryLocked, file: path, detail: "another process has this data directory open",
                    advice: "Stop the server that uses it, or ask that server instead")
            }
            throw StoreError.system("lock", name, number)
        }
        return descriptor
    }

    /// Takes the directory from group and others, as a ledger holds personal data.
    private static func protect(_ path: String) throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw StoreError.system("stat", path, errno) }
        if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 {
            throw StoreError.system("restrict the mode of", path, errno)
        }
    }

    private static func parent(of path: String) -> String {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed = trimmed.dropLast() }
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }
}
