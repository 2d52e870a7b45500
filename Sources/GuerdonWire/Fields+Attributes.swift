import GuerdonCore

extension Fields {
    /// Custom values by key, in order of the keys' bytes; `null` values are kept at the top level.
    ///
    /// - Throws: for keys that stand twice at any depth, for `null` below the top, for numbers that are not exact, and
    ///   beyond ``Limits/attributesBytes``.
    func attributes(_ name: StaticString) throws(Refusal) -> [AttributeEntry]? {
        guard let value = value(name) else { return nil }
        guard value.kind == .object else { throw refuse(name, "must be an object of custom values.") }
        guard value.raw.count <= Limits.attributesBytes else {
            throw Refusal(
                .limitExceeded, field: path + name.description,
                "\(path)\(name): has \(value.raw.count) bytes; at most \(Limits.attributesBytes) are kept.")
        }
        return try entries(of: value, path: path + name.description, mayBeNull: true)
    }

    private func entries(of object: Node, path: String, mayBeNull: Bool) throws(Refusal) -> [AttributeEntry] {
        var result: [AttributeEntry] = []
        for (key, value) in object.members {
            let key = key.text
            let path = "\(path).\(key)"
            guard !key.isEmpty else { throw Refusal(code, field: path, "\(path): a key may not be empty.") }
            if value.isNull {
                guard mayBeNull else { throw Refusal(code, field: path, "\(path): null is not kept within a value.") }
                result.append(AttributeEntry(key: key, value: .null))
            } else {
                result.append(AttributeEntry(key: key, value: try attribute(value, path)))
            }
        }
        result.sort { $0.key < $1.key }
        for (a, b) in zip(result, result.dropFirst()) where a.key == b.key {
            let field = "\(path).\(a.key)"
            throw Refusal(code, field: field, "\(field): the key stands twice; give it once.")
        }
        return result
    }

    private func attribute(_ value: Node, _ path: String) throws(Refusal) -> AttributeValue {
        switch value.kind {
        case .bool: return .bool(value.isTrue)
        case .string: return .string(value.text)
        case .null: throw Refusal(code, field: path, "\(path): null is not kept within a value.")
        case .object: return .map(try entries(of: value, path: path, mayBeNull: false))
        case .list:
            var items: [AttributeValue] = []
            for (i, item) in value.elements.enumerated() { items.append(try attribute(item, "\(path)[\(i)]")) }
            return .list(items)
        case .number:
            let raw = value.raw
            guard let number = DecimalText.parse(raw) else {
                throw Refusal(
                    code, field: path,
                    "\(path): must be a whole number within 64 bits, or have at most \(Limits.decimalScale) decimals; "
                        + "no exponents.")
            }
            return number.scale == 0 ? .int(number.coefficient) : .decimal(number)
        }
    }
}
