import Glibc

/// Why the store refused or failed: a stable code, the file and offset concerned, and what the operator can do.
///
/// Nothing here is retried by the store itself. An error whose ``isFatal`` is true means that what is on disk is no
/// longer known: stop acknowledging, say so, exit.
public struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong, as a stable lower-case word.
    public enum Code: String, Sendable, CaseIterable {
        /// The data directory does not exist.
        case directoryMissing = "directory_missing"
        /// The directory exists but holds no ledger.
        case notInitialized = "not_initialized"
        /// A new ledger was asked for where something already is.
        case directoryNotEmpty = "directory_not_empty"
        /// Another process holds the directory.
        case directoryLocked = "directory_locked"
        /// A file stands where the data directory, or one above it, should be.
        case notDirectory = "not_directory"
        /// The operating system denied access (owner, mode, read-only file system).
        case notPermitted = "not_permitted"
        /// Written by a newer format than this binary reads.
        case unsupportedVersion = "unsupported_version"
        /// The superblock does not match its checksum.
        case superblockDamaged = "superblock_damaged"
        /// A segment or archive of the log is absent.
        case segmentMissing = "segment_missing"
        /// A segment header is damaged, or the file stands in the wrong place.
        case segmentDamaged = "segment_damaged"
        /// A file of another ledger lies in this directory.
        case foreignFile = "foreign_file"
        /// A record that had been durable does not match its checksum.
        case recordDamaged = "record_damaged"
        /// A whole record does not continue the one before it.
        case chainBroken = "chain_broken"
        /// The log ends before the point that a snapshot covers.
        case logBehindSnapshot = "log_behind_snapshot"
        /// The sequence number is not in the log.
        case sequenceUnknown = "sequence_unknown"
        /// No space left; nothing of the failed write is visible.
        case diskFull = "disk_full"
        /// A system call failed.
        case inputOutput = "io_error"
        /// A sync failed: what is on disk is unknown.
        case syncFailed = "sync_failed"
        /// An earlier failure made the log unusable until restart.
        case logFailed = "log_failed"
        /// A snapshot does not match its checksums.
        case snapshotDamaged = "snapshot_damaged"
        /// An archive does not match its checksums.
        case archiveDamaged = "archive_damaged"
        /// The posting history is damaged and must be rebuilt from the log.
        case historyDamaged = "history_damaged"
        /// A file of sealed external ids does not match its checksums.
        case idsDamaged = "ids_damaged"
        /// A file of sealed external ids that a snapshot counts on is absent.
        case idsMissing = "ids_missing"
        /// Work in the background was called off, because the engine stops.
        case cancelled = "cancelled"
        /// A batch or chunk exceeds a limit of the format.
        case tooLarge = "too_large"
    }

    /// What went wrong.
    public var code: Code
    /// The file concerned.
    public var file: String?
    /// Byte offset in ``file``.
    public var offset: UInt64?
    /// The system's error number.
    public var errorNumber: Int32?
    /// What was found, in one sentence.
    public var detail: String
    /// What the operator can do, in one sentence; may be empty.
    public var advice: String

    /// Creates an error from its parts.
    public init(
        _ code: Code, file: String? = nil, offset: UInt64? = nil, errorNumber: Int32? = nil, detail: String,
        advice: String = ""
    ) {
        self.code = code
        self.file = file
        self.offset = offset
        self.errorNumber = errorNumber
        self.detail = detail
        self.advice = advice
    }

    /// Whether the process must stop: what reached the disk is unknown.
    public var isFatal: Bool {
        switch code {
        case .inputOutput, .syncFailed, .logFailed: true
        default: false
        }
    }

    /// One line: code, what was found, where, the system's words, what to do.
    public var description: String {
        var text = "\(code.rawValue): \(detail)"
        if let file { text += " (file \(file)" + (offset.map { ", offset \($0)" } ?? "") + ")" }
        if let errorNumber { text += ": \(StoreError.text(of: errorNumber))" }
        return advice.isEmpty ? text : text + ". " + advice
    }

    private static func text(of number: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            guard strerror_r(number, buffer.baseAddress!, buffer.count) == 0 else { return "error \(number)" }
            return String(cString: buffer.baseAddress!)
        }
    }

    /// The error of a failed system call.
    static func system(_ operation: String, _ path: String, _ number: Int32, offset: UInt64? = nil) -> StoreError {
        switch number {
        case ENOSPC, EDQUOT:
            StoreError(
                .diskFull, file: path, offset: offset, errorNumber: number, detail: "cannot \(operation)",
                advice: "Free space on the file system; nothing acknowledged was lost")
        case EACCES, EPERM, EROFS:
            StoreError(
                .notPermitted, file: path, offset: offset, errorNumber: number, detail: "cannot \(operation)",
                advice: "Check the owner and mode of the data directory and that its file system is writable")
        case ENOTDIR:
            StoreError(
                .notDirectory, file: path, errorNumber: number, detail: "cannot \(operation)",
                advice: "Name the data directory, not a file in its place")
        default:
            StoreError(
                .inputOutput, file: path, offset: offset, errorNumber: number, detail: "cannot \(operation)",
                advice: "Check the disk and the system log before starting again")
        }
    }
}
