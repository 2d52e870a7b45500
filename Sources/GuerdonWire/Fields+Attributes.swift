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
        do throws(Refusal) {
            return try AttributeDecoding(code: code).entries(of: value, path: nil)
        } catch {
            // Once more for the path of the fault, which costs too much to keep track of while all is well.
            return try AttributeDecoding(code: code).entries(of: value, path: path + name.description)
        }
    }
}

/// Maps of custom values from their objects.
struct AttributeDecoding {
    /// What refusals say.
    var code = RefusalCode.badRequest

    private func fault(_ path: String?, _ message: String) -> Refusal {
        Refusal(code, field: path ?? "", "\(path ?? ""): \(message)")
    }

    /// The entries of an object in order of the keys' bytes.
    ///
    /// - Parameters:
    ///   - path: where the object stands, if that is to be told.
    ///   - mayBeNull: whether `null` may be a value, here but not deeper.
    func entries(of object: Node, path: String?, mayBeNull: Bool = true) throws(Refusal) -> [AttributeEntry] {
        var result: [AttributeEntry] = []
        try object.forEachMember { name, value throws(Refusal) in
            let key = name.text
            let path = path.map { "\($0).\(key)" }
            guard !key.isEmpty else { throw fault(path, "a key may not be empty.") }
            if value.isNull, mayBeNull {
                result.append(AttributeEntry(key: key, value: .null))
            } else {
                result.append(AttributeEntry(key: key, value: try attribute(value, path)))
            }
        }
        guard result.count > 1 else { return result }
        result.sort { $0.key < $1.key }
        for i in 1..<result.count where result[i - 1].key == result[i].key {
            throw fault(path.map { "\($0).\(result[i].key)" }, "the key stands twice; give it once.")
        }
        return result
    }

    private func attribute(_ value: Node, _ path: String?) throws(Refusal) -> AttributeValue {
        switch value.kind {
        case .bool: return .bool(value.isTrue)
        case .string: return .string(value.text)
        case .null: throw fault(path, "null is not kept within a value.")
        case .object: return .map(try entries(of: value, path: path, mayBeNull: false))
        case .list:
            var items: [AttributeValue] = []
            for (i, item) in value.elements.enumerated() {
                items.append(try attribute(item, path.map { "\($0)[\(i)]" }))
            }
            return .list(items)
        case .number:
            guard let number = DecimalText.parse(value.raw) else {
                throw fault(
                    path,
                    "must be a whole number within 64 bits, or have at most \(Limits.decimalScale) decimals; no exponents."
                )
            }
            return number.scale == 0 ? .int(number.coefficient) : .decimal(number)
        }
    }
}
