extension Checker {
    /// The type that the function gives for arguments of these types, or nil where it takes none such.
    func resultType(of function: CELFunction, _ types: [CELType]) -> CELType? {
        switch function {
        case .and, .or: return types.allSatisfy { $0.mayBe(.bool) } ? .bool : nil
        case .conditional: return types[0].mayBe(.bool) ? types[1].joined(with: types[2]) : nil
        case .equal, .notEqual: return types[0].isComparable(with: types[1]) ? .bool : nil
        case .less, .lessOrEqual, .greater, .greaterOrEqual: return types[0].isOrdered(with: types[1]) ? .bool : nil
        case .membership: return membershipType(types)
        case .index: return indexType(types)
        case .add:
            if case .list(let left) = types[0], case .list(let right) = types[1] {
                return .list(left.joined(with: right))
            }
            return signatureType(of: function, types)
        default: return signatureType(of: function, types)
        }
    }

    private func signatureType(of function: CELFunction, _ types: [CELType]) -> CELType? {
        let matching = function.signatures.filter { $0.accepts(types) }
        guard let first = matching.first else { return nil }
        return matching.dropFirst().reduce(first.result) { $0.joined(with: $1.result) }
    }

    private func membershipType(_ types: [CELType]) -> CELType? {
        switch types[1].nonNull {
        case .dyn: .bool
        case .list(let element): types[0].isComparable(with: element) ? .bool : nil
        case .map(let key, _): types[0].isComparable(with: key) ? .bool : nil
        default: nil
        }
    }

    private func indexType(_ types: [CELType]) -> CELType? {
        switch types[0].nonNull {
        case .dyn: .dyn
        case .list(let element): types[1].mayBe(.int) || types[1].mayBe(.uint) ? element : nil
        case .map(let key, let value): types[1].isComparable(with: key) ? value : nil
        default: nil
        }
    }

    /// The call itself, or its value where the arguments are constants and the function is cheap and total in size.
    ///
    /// Strictly checked, a constant that can never be converted is a mistake to tell now.
    func folded(
        _ call: CELExpression, _ function: CELFunction, _ arguments: [CELExpression]
    ) throws(SourceError) -> CELExpression {
        try checkConstants(function, arguments)
        switch function {
        case .negate, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .decimal: break
        default: return call
        }
        guard arguments.count == 1, let constant = arguments[0].literal else { return call }
        do {
            let value =
                function == .negate ? try Arithmetic.negate(constant) : try Conversions.convert(constant, by: function)
            return CELExpression(kind: .literal(value), type: call.type, offset: call.offset)
        } catch {
            if checking == .strict, function != .negate, error.code != .noSuchOverload {
                throw SourceError(.invalidArgument, error.message, at: arguments[0].offset)
            }
            return call
        }
    }

    /// Patterns and time zones written as literals are looked at before they run.
    private func checkConstants(_ function: CELFunction, _ arguments: [CELExpression]) throws(SourceError) {
        guard checking == .strict, arguments.count == 2, case .string(let text)? = arguments[1].literal else { return }
        do {
            if function == .matches {
                _ = try Regex(text)
            } else if function.signatures.contains(where: { $0.parameters == [.timestamp, .string] }) {
                _ = try TimeZoneName.offset(of: text, at: 0, environment.timeZones)
            }
        } catch {
            throw SourceError(.invalidArgument, error.message, at: arguments[1].offset)
        }
    }
}

extension CELType {
    /// Whether `==` between the types can ever be true.
    func isComparable(with other: CELType) -> Bool {
        switch (nonNull, other.nonNull) {
        case (.decimal, .double), (.double, .decimal): false
        case (.list(let left), .list(let right)): left.isComparable(with: right)
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
            leftKey.isComparable(with: rightKey) && leftValue.isComparable(with: rightValue)
        default: mayBe(other) || (isNumeric && other.isNumeric)
        }
    }

    /// Whether `<` is defined between the types.
    func isOrdered(with other: CELType) -> Bool {
        switch (nonNull, other.nonNull) {
        case (.decimal, .double), (.double, .decimal): false
        case (.dyn, let type), (let type, .dyn): type == .dyn || type.isNumeric || CELType.ordered.contains(type)
        case (let left, let right):
            (left.isNumeric && right.isNumeric) || (left == right && CELType.ordered.contains(left))
        }
    }

    private static let ordered: [CELType] = [.bool, .string, .bytes, .timestamp, .duration]
}
