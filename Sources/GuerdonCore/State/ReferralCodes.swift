/// The members' own referral codes: made by template, or set by hand.
///
/// Codes by template are not stored: a member has the code of the template in force when he was created.
struct ReferralCodes: Equatable, Sendable {
    /// A template and the first member (creation number from 0) that it holds for.
    struct Era: Equatable, Sendable {
        var from: UInt32
        /// Text before and after `{seq}`; `nil` when no code is made.
        var template: Template?
    }

    /// A template cut at `{seq}`.
    struct Template: Equatable, Sendable {
        var prefix: [UInt8]
        var suffix: [UInt8]

        init?(_ text: Text) {
            let marker = Array("{seq}".utf8)
            let bytes = text.bytes
            let places = bytes.indices.filter { bytes[$0...].starts(with: marker) }
            guard places.count == 1, let at = places.first else { return nil }
            prefix = Array(bytes[..<at])
            suffix = Array(bytes[(at + marker.count)...])
        }

        var text: Text { Text(bytes: prefix + Array("{seq}".utf8) + suffix) }

        func code(_ number: UInt64) -> Text { Text(bytes: prefix + Array(String(number).utf8) + suffix) }

        /// The number that makes `code`, when this template could have made it.
        func number(of code: Text) -> UInt64? {
            let bytes = code.bytes
            guard bytes.count > prefix.count + suffix.count, bytes.starts(with: prefix),
                bytes[(bytes.count - suffix.count)...].elementsEqual(suffix)
            else { return nil }
            let digits = bytes[prefix.count..<(bytes.count - suffix.count)]
            guard digits.count <= 18, digits.first != UInt8(ascii: "0"),
                digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
            else { return nil }
            return digits.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
        }
    }

    var eras: [Era] = []
    /// Codes set by hand.
    var byHand: [Text: UInt32] = [:]

    var template: Template? { eras.last?.template }

    /// The code that `member` got when he was created.
    func automatic(_ member: UInt32) -> Text? {
        guard let era = eras.last(where: { $0.from <= member }) else { return nil }
        return era.template?.code(UInt64(member) + 1)
    }

    /// Whose code this is, among `count` members; the earliest, should several templates have made it.
    func member(with code: Text, count: Int) -> UInt32? {
        if let member = byHand[code] { return member }
        var earliest: UInt32?
        for (index, era) in eras.enumerated() {
            guard let number = era.template?.number(of: code), number >= 1 else { continue }
            let until = index + 1 < eras.count ? UInt64(eras[index + 1].from) : UInt64(count)
            if number - 1 >= UInt64(era.from), number - 1 < until {
                earliest = min(earliest ?? UInt32.max, UInt32(number - 1))
            }
        }
        return earliest
    }

    /// Whether a template of now or before made or could make `code`.
    func isReserved(_ code: Text) -> Bool {
        eras.contains { $0.template?.number(of: code) != nil }
    }
}
