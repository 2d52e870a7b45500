/// Every bound of the formats on disk. A length beyond its bound is refused before anything is allocated for it.
public enum StoreLimits {
    /// Bytes of one batch's payload.
    public static let batchPayload = 1 << 24
    /// Bytes of a log segment, unless a single batch needs more.
    public static let segment = 64 << 20
    /// Uncompressed bytes of one snapshot chunk at most.
    public static let snapshotChunk = 1 << 24
    /// Snapshots kept; the log must reach back to the oldest of them.
    public static let snapshotsKept = 2

    /// Bytes of log behind one entry of the in-memory index.
    static let indexStride: UInt64 = 64 << 10
    /// Uncompressed bytes gathered into one archive frame before it is closed at a record boundary.
    static let archiveFrame = 256 << 10
    /// Uncompressed bytes of the largest archive frame: one frame's fill and one record of the largest size.
    static let archiveFrameLargest = archiveFrame + batchPayload + 1024
    /// Bytes read at once when the log is read in order.
    static let readBlock = 1 << 20
    /// Encoded bytes after which a history block is closed at the end of a command.
    static let historyBlock = 64 << 10
    /// Encoded bytes of the largest history block (a single command may make very many postings).
    static let historyBlockLargest = 1 << 30
    /// Bytes after which a history file is followed by the next.
    static let historyFile: UInt64 = 64 << 20
}
