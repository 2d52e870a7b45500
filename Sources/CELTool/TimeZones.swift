import Foundation

/// The machine's time-zone tables, for expressions evaluated at the edge.
enum TimeZones {
    /// Seconds east of UTC in the named zone at an instant; nil for names that the tables do not have.
    @Sendable
    static func offset(of name: String, at seconds: Int64) -> Int? {
        TimeZone(identifier: name)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }
}
