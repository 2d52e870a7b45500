/// The snapshots of a ledger as a set: which there are, which is usable, and what log they need.
public enum Snapshots {
    private static let suffix = ".snap"
    /// Appended to the name of a snapshot that proved unreadable, so that it is not counted among those kept.
    private static let damagedSuffix = ".damaged"

    static func path(_ sequence: UInt64, in directory: DataDirectory) -> String {
        directory.snapshotPath + "/" + decimalName(sequence) + suffix
    }

    /// Sequence numbers of the snapshots, oldest first, by their names alone.
    public static func list(in directory: DataDirectory) throws(StoreError) -> [UInt64] {
        var result: [UInt64] = []
        for name in try directory.system.list(directory.snapshotPath) ?? [] {
            if let sequence = number(inName: name, suffix: suffix) { result.append(sequence) }
        }
        return result
    }

    /// The newest snapshot that is whole, and why newer ones were not.
    public struct Choice {
        /// The snapshot, at its first chunk; `nil` if there is none: replay the log from its beginning.
        public var reader: SnapshotReader?
        /// One error per newer snapshot that is damaged; tell the operator.
        public var rejected: [StoreError]
    }

    /// Looks for the newest snapshot that is whole and covers at most `limit`.
    ///
    /// All checksums of the chosen file are verified. In a read-write opening a damaged one is renamed and stays for
    /// inspection.
    /// - Throws: `foreign_file` when any snapshot here belongs to another ledger: somebody has mixed two directories.
    public static func newestValid(
        in directory: DataDirectory, atMost limit: UInt64 = .max
    ) throws(StoreError) -> Choice {
        var rejected: [StoreError] = []
        let sequences = try list(in: directory)
        for sequence in sequences {
            do throws(StoreError) { _ = try header(sequence, in: directory) } catch {
                if error.code == .foreignFile { throw error }
            }
        }
        for sequence in sequences.reversed() where sequence <= limit {
            do throws(StoreError) {
                let reader = try SnapshotReader(sequence: sequence, in: directory)
                try reader.verify()
                return Choice(reader: reader, rejected: rejected)
            } catch {
                // A newer format is no damage: falling back behind it would silently undo an upgrade.
                if error.code == .unsupportedVersion { throw error }
                rejected.append(error)
                if error.code == .snapshotDamaged, directory.access == .readWrite {
                    let path = path(sequence, in: directory)
                    try directory.system.rename(path, to: path + damagedSuffix)
                    try directory.system.syncDirectory(directory.snapshotPath)
                }
            }
        }
        return Choice(reader: nil, rejected: rejected)
    }

    /// Removes all but the newest ``StoreLimits/snapshotsKept``.
    static func prune(_ directory: DataDirectory) throws(StoreError) {
        let old = try list(in: directory).dropLast(StoreLimits.snapshotsKept)
        for sequence in old { try directory.system.removeGradually(path(sequence, in: directory)) }
        if !old.isEmpty { try directory.system.syncDirectory(directory.snapshotPath) }
    }

    /// The newest sequence number that any whole snapshot header names, 0 if none does: that much had been durable.
    static func provenThrough(in directory: DataDirectory) throws(StoreError) -> UInt64 {
        for sequence in try list(in: directory).reversed() {
            do throws(StoreError) {
                if try header(sequence, in: directory) != nil { return sequence }
            } catch {
                // Not a proof; whether it is damaged or another ledger's is told when a snapshot is looked for.
                guard error.errorNumber == nil else { throw error }
            }
        }
        return 0
    }

    /// The header of a snapshot; `nil` when the file is too short for one.
    private static func header(_ sequence: UInt64, in directory: DataDirectory) throws(StoreError) -> SnapshotHeader? {
        let path = path(sequence, in: directory)
        guard let bytes = try directory.system.open(path, .read).bytes(at: 0, count: SnapshotHeader.size) else {
            return nil
        }
        return try bytes.span.withUnsafeBytes { buffer throws(StoreError) in
            try SnapshotHeader.decode(buffer, path: path, superblock: directory.superblock, sequence: sequence)
        }
    }
}
