import GuerdonCore

/// The fields of one object, each there at most once and all of them known.
struct Fields {
    private var entries: [(name: StaticString, value: Node)] = []
    /// What stands before a field's name in a refusal: `plan.bonuses[0].` inside a plan.
    let path: String
    /// `.badRequest`, or `.planInvalid` inside a plan.
    let code: RefusalCode

    /// Reads an object; its fields must be among `known`.
    init(
        _ object: Node, known: [StaticString], path: String = "", code: RefusalCode = .badRequest
    ) throws(Refusal) {
        self.path = path
        self.code = code
        entries.reserveCapacity(known.count)
        try object.forEachMember { key, value throws(Refusal) in
            guard let name = known.first(where: { key.isText($0) }) else {
                let field = path + key.text.string
                let hint = known.map(\.description).joined(separator: ", ")
                throw Refusal(code, field: field, "There is no field \"\(field)\" here; the fields are \(hint).")
            }
            guard node(name) == nil else {
                throw Refusal(
                    code, field: path + name.description, "The field \(path)\(name) stands twice; give it once.")
            }
            entries.append((name, value))
        }
    }

    /// The value of a field, `null` included.
    private func node(_ name: StaticString) -> Node? {
        entries.first { $0.name.isSame(as: name) }?.value
    }

    /// The value of a field; `nil` when it is absent or `null`.
    func value(_ name: StaticString) -> Node? {
        guard let node = node(name), !node.isNull else { return nil }
        return node
    }

    /// Whether a field is there, be it as `null`.
    func has(_ name: StaticString) -> Bool { node(name) != nil }

    /// Whether only these fields are there.
    func holdsOnly(_ names: [StaticString]) -> Bool {
        entries.allSatisfy { entry in names.contains { $0.isSame(as: entry.name) } }
    }

    /// A refusal that names a field.
    func refuse(_ name: StaticString, _ message: String) -> Refusal {
        Refusal(code, field: path + name.description, "\(path)\(name): \(message)")
    }

    /// A field that may be absent, cleared or set.
    func change<T>(
        _ name: StaticString, _ read: (StaticString) throws(Refusal) -> T?
    ) throws(Refusal) -> Change<T> {
        guard has(name) else { return .keep }
        guard let value = try read(name) else { return .clear }
        return .set(value)
    }

    /// A field that must be there.
    func required<T>(
        _ name: StaticString, _ read: (StaticString) throws(Refusal) -> T?
    ) throws(Refusal) -> T {
        guard let value = try read(name) else { throw refuse(name, "missing; it must be given.") }
        return value
    }
}

extension Fields {
    private func string(_ name: StaticString, _ what: String) throws(Refusal) -> Node? {
        guard let value = value(name) else { return nil }
        guard value.kind == .string else { throw refuse(name, "must be \(what) in quotes.") }
        return value
    }

    /// Free text of at most ``Limits/textBytes`` bytes.
    func text(_ name: StaticString) throws(Refusal) -> Text? {
        try text(name, bytes: 0...Limits.textBytes, "a text")
    }

    /// An id: ``Limits/idBytes`` bytes.
    func id(_ name: StaticString) throws(Refusal) -> Text? {
        try text(name, bytes: Limits.idBytes, "an id")
    }

    /// A CEL expression.
    func expression(_ name: StaticString) throws(Refusal) -> Text? {
        try text(name, bytes: 1...Limits.expressionBytes, "a CEL expression")
    }

    func text(_ name: StaticString, bytes: ClosedRange<Int>, _ what: String) throws(Refusal) -> Text? {
        guard let text = try string(name, what)?.text else { return nil }
        guard bytes.contains(text.count) else {
            throw refuse(
                name, "must be \(what) of \(bytes.lowerBound) to \(bytes.upperBound) bytes; this one has \(text.count)."
            )
        }
        return text
    }

    func bool(_ name: StaticString) throws(Refusal) -> Bool? {
        guard let value = value(name) else { return nil }
        guard value.kind == .bool else { throw refuse(name, "must be true or false.") }
        return value.isTrue
    }

    /// One of a few words.
    func choice<T>(_ name: StaticString, _ choices: [(StaticString, T)]) throws(Refusal) -> T? {
        guard let value = value(name) else { return nil }
        if value.kind == .string, let found = choices.first(where: { value.isText($0.0) }) { return found.1 }
        let words = choices.map { "\"\($0.0)\"" }.joined(separator: ", ")
        throw refuse(name, "must be one of \(words).")
    }

    /// A whole number, without quotes.
    func integer(_ name: StaticString, _ range: ClosedRange<Int64>) throws(Refusal) -> Int64? {
        guard let value = value(name) else { return nil }
        guard value.kind == .number, let number = DecimalText.parse(value.raw), number.scale == 0,
            range.contains(number.coefficient)
        else {
            throw refuse(
                name, "must be a whole number from \(range.lowerBound) to \(range.upperBound), without quotes.")
        }
        return number.coefficient
    }

    /// An exact decimal, in quotes or not.
    func decimal(_ name: StaticString) throws(Refusal) -> DecimalNumber? {
        guard let value = value(name) else { return nil }
        guard value.kind == .string || value.kind == .number else {
            throw refuse(name, "must be a decimal such as \"12.34\".")
        }
        if !value.isEscaped { return try decimal(value.raw, name) }
        return try value.text.withBytes { text throws(Refusal) in try decimal(text, name) }
    }

    func decimal(_ text: UnsafeRawBufferPointer, _ name: StaticString) throws(Refusal) -> DecimalNumber {
        if let number = DecimalText.parse(text) { return number }
        switch DecimalText.fault(text) {
        case .malformed: throw refuse(name, "must be a decimal such as \"12.34\": digits, a point, digits.")
        case .exponent: throw refuse(name, "exponents are not taken; write the number with all its digits.")
        case .decimals: throw refuse(name, "has more than \(Limits.decimalScale) decimals.")
        case .range:
            // Digits that fit nowhere are an amount out of range, not a slip of the pen.
            guard code == .badRequest else { throw refuse(name, "has too many digits.") }
            throw Refusal(
                .amountOutOfRange, field: path + name.description,
                "\(path)\(name): has too many digits; numbers reach from -\(Int64.max) to \(Int64.max) smallest units.")
        }
    }

    /// An RFC 3339 time in nanoseconds since 1970.
    func time(_ name: StaticString) throws(Refusal) -> Int64? {
        guard let text = try string(name, "a time")?.text else { return nil }
        guard let time = text.bytes.withUnsafeBytes({ TimeText.time($0) }) else {
            throw refuse(
                name,
                "must be a time with offset such as \"2026-11-01T10:00:00Z\", at most nine decimals, in 1678 to 2261.")
        }
        return time
    }

    /// A date `YYYY-MM-DD`, as text.
    func date(_ name: StaticString) throws(Refusal) -> Text? {
        guard let text = try string(name, "a date")?.text else { return nil }
        guard text.bytes.withUnsafeBytes({ TimeText.date($0) }) != nil else {
            throw refuse(name, "must be a date such as \"2026-01-31\".")
        }
        return text
    }

    func duration(_ name: StaticString) throws(Refusal) -> CalendarDuration? {
        guard let text = try string(name, "a duration")?.text else { return nil }
        guard let duration = text.bytes.withUnsafeBytes({ TimeText.duration($0) }) else {
            throw refuse(name, "must be an ISO 8601 duration above zero such as \"P30D\", \"P1Y6M\" or \"PT12H\".")
        }
        return duration
    }
}

extension StaticString {
    /// Whether the bytes are equal; the same literal need not be the same pointer.
    func isSame(as other: StaticString) -> Bool {
        utf8Start == other.utf8Start
            || isSame(as: UnsafeRawBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
    }

    /// Whether the bytes are equal.
    func isSame(as bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == utf8CodeUnitCount else { return false }
        for i in 0..<bytes.count where bytes[i] != utf8Start[i] { return false }
        return true
    }
}

extension Text {
    /// Calls `body` with the bytes.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(Refusal) -> Result
    ) throws(Refusal) -> Result {
        let result = bytes.withUnsafeBytes { bytes -> Swift.Result<Result, Refusal> in
            do throws(Refusal) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
