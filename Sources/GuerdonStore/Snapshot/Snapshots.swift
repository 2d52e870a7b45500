/// The snapshots of a ledger.
public enum Snapshots {
    /// The newest sequence number that any snapshot covers, 0 if there is none.
    static func provenThrough(in directory: DataDirectory) throws(StoreError) -> UInt64 { 0 }
}
