/// The fields of one request object, read with the refusals that the wire gives.
struct Fields {
    let members: [Text: JSON]
    /// What stands before a field's name in a refusal: `plan.bonuses[0].` inside a plan.
    var path = ""
    /// `bad_request`, or `plan_invalid` inside a plan.
    var code = "bad_request"

    func refuse(_ name: Text) -> Refusal { Refusal(code, path + name.string) }

    /// Refuses every field that is not listed.
    func allow(_ names: [Text]) throws(Refusal) {
        for name in members.keys.sorted() where !names.contains(name) { throw refuse(name) }
    }

    func change(_ name: Text) -> Change<JSON> {
        switch members[name] {
        case nil: .absent
        case .null?: .cleared
        case let value?: .set(value)
        }
    }

    /// The value of a field; `nil` when absent or `null`.
    func value(_ name: Text) -> JSON? { change(name).value }

    func text(_ name: Text) throws(Refusal) -> Text? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { throw refuse(name) }
        return text
    }

    func textChange(_ name: Text) throws(Refusal) -> Change<Text> {
        switch change(name) {
        case .absent: return .absent
        case .cleared: return .cleared
        case .set(.string(let text)): return .set(text)
        case .set: throw refuse(name)
        }
    }

    /// An id: 1 to 128 bytes.
    func id(_ name: Text) throws(Refusal) -> Text? {
        guard let text = try text(name) else { return nil }
        guard (1...128).contains(text.bytes.count) else { throw refuse(name) }
        return text
    }

    func idChange(_ name: Text) throws(Refusal) -> Change<Text> {
        let change = try textChange(name)
        if case .set(let text) = change, !(1...128).contains(text.bytes.count) { throw refuse(name) }
        return change
    }

    func requiredId(_ name: Text) throws(Refusal) -> Text {
        guard let id = try id(name) else { throw refuse(name) }
        return id
    }

    func bool(_ name: Text) throws(Refusal) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let bool) = value else { throw refuse(name) }
        return bool
    }

    func choice(_ name: Text, _ choices: [String]) throws(Refusal) -> String? {
        guard let text = try text(name)?.string else { return nil }
        guard choices.contains(text) else { throw refuse(name) }
        return text
    }

    func integer(_ name: Text, _ range: ClosedRange<Int>) throws(Refusal) -> Int? {
        guard let value = value(name) else { return nil }
        guard case .number(let text) = value, let number = Int(text), range.contains(number) else {
            throw refuse(name)
        }
        return number
    }

    func decimal(_ name: Text) throws(Refusal) -> ExactDecimal? {
        guard let value = value(name) else { return nil }
        let text: String
        switch value {
        case .string(let inner): text = inner.string
        case .number(let inner): text = inner
        default: throw refuse(name)
        }
        do throws(ExactDecimal.Fault) {
            return try ExactDecimal(text)
        } catch {
            // Digits that fit nowhere are an amount out of range, not a slip of the pen.
            if error == .tooLong && code == "bad_request" { throw .outOfRange(path + name.string) }
            throw refuse(name)
        }
    }

    func date(_ name: Text) throws(Refusal) -> Change<CivilDate> {
        switch try textChange(name) {
        case .absent: return .absent
        case .cleared: return .cleared
        case .set(let text):
            guard let date = CivilDate(text.string) else { throw refuse(name) }
            return .set(date)
        }
    }

    func instant(_ name: Text) throws(Refusal) -> Instant? {
        guard let text = try text(name) else { return nil }
        guard let instant = Instant(rfc3339: text.string) else { throw refuse(name) }
        return instant
    }

    func lifetime(_ name: Text) throws(Refusal) -> Change<Lifetime> {
        switch try textChange(name) {
        case .absent: return .absent
        case .cleared: return .cleared
        case .set(let text):
            guard let lifetime = Lifetime(text.string) else { throw refuse(name) }
            return .set(lifetime)
        }
    }

    /// The attributes of an action or a member by key; at the top level `nil` stands for `null`.
    func attributes(_ name: Text) throws(Refusal) -> [Text: Attribute?]? {
        guard let value = value(name) else { return nil }
        guard case .object(let members) = value else { throw refuse(name) }
        var result: [Text: Attribute?] = [:]
        for (key, value) in members {
            guard !key.bytes.isEmpty else { throw Refusal("bad_request", openField: ()) }
            if case .null = value {
                result.updateValue(nil, forKey: key)
            } else if let attribute = Attribute(value) {
                result.updateValue(attribute, forKey: key)
            } else {
                throw Refusal("bad_request", openField: ())
            }
        }
        return result
    }

    /// A set of ids: no doubles, ordered by bytes.
    func tags(_ name: Text) throws(Refusal) -> Change<[Text]> {
        switch change(name) {
        case .absent: return .absent
        case .cleared: return .cleared
        case .set(let value):
            guard case .array(let elements) = value else { throw refuse(name) }
            var tags: Set<Text> = []
            for element in elements {
                guard case .string(let tag) = element, (1...128).contains(tag.bytes.count) else {
                    throw Refusal("bad_request", openField: ())
                }
                tags.insert(tag)
            }
            return .set(tags.sorted())
        }
    }
}
