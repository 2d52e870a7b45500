/// A key and what is remembered of it, on the way to a run.
struct IdRecord: BitwiseCopyable {
    let key: ExternalIdKey
    let id: RememberedId

    @inline(__always)
    init(_ key: ExternalIdKey, _ id: RememberedId) { (self.key, self.id) = (key, id) }

    /// Brings records into order that are in order of the leading 32 bits, as those in front of `start` wholly are. Hardly ever
    /// has one to move, and then by one.
    static func sort(_ records: UnsafeMutableBufferPointer<IdRecord>, from start: Int) {
        for number in max(start, 1)..<max(records.count, start, 1) {
            var place = number
            while place > 0, records[place].key < records[place &- 1].key {
                records.swapAt(place, place &- 1)
                place &-= 1
            }
        }
    }

    /// The first of the records that share the leading 32 bits of the last one.
    static func startOfLastTag(_ records: UnsafeMutableBufferPointer<IdRecord>) -> Int {
        guard let last = records.last else { return 0 }
        var start = records.count - 1
        while start > 0, records[start - 1].key.high >> 16 == last.key.high >> 16 { start -= 1 }
        return start
    }
}
