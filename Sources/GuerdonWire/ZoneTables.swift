import Foundation
public import GuerdonCore
import Synchronization

/// IANA time zones with their offsets spelled out, found once and remembered.
public enum ZoneTables {
    private static let known = Mutex<[Text: ZoneTable]>(["UTC": .utc])
    /// Start of 1970 and of 2101; behind it the last offset stays.
    private static let range = (first: 0 as Int64, last: 4_133_980_800 as Int64)

    /// The zone of that name, `nil` when there is none.
    ///
    /// - Complexity: a few tens of milliseconds for a name that was not asked for before.
    public static func table(named name: Text) -> ZoneTable? {
        if let table = known.withLock({ $0[name] }) { return table }
        guard (1...64).contains(name.count), name.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            let zone = TimeZone(identifier: name.string)
        else { return nil }
        let table = ZoneTable(name: name, spans: spans(of: zone))
        known.withLock { $0[name] = table }
        return table
    }

    private static func spans(of zone: TimeZone) -> [ZoneTable.Span] {
        func offset(_ second: Int64) -> Int32 {
            Int32(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second))))
        }
        var result = [ZoneTable.Span(start: range.first, offset: offset(range.first))]
        var before = range.first
        while before < range.last {
            let behind = before + 86_400
            let found = offset(behind)
            if found != result[result.count - 1].offset {
                // The first second with the new offset lies between the two samples.
                var low = before
                var high = behind
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if offset(middle) == found { high = middle } else { low = middle }
                }
                result.append(ZoneTable.Span(start: high, offset: found))
            }
            before = behind
        }
        return result
    }
}
