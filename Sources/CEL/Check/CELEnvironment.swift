/// What expressions may name: variables with their types, and the container that short names are looked up in.
///
/// ```swift
/// var environment = CELEnvironment()
/// environment.declare("level", .int)
/// environment.declare("action", .object("Action", fields: [
///     CELField("type", .string), CELField("value", .nullable(.decimal)),
/// ]))
/// environment.slot(of: "action", field: "value")  // 2
/// ```
///
/// Every variable has a slot, a small integer in order of declaration; an object variable has one for each field
/// instead, so that evaluating `action.type` loads nothing else of the action.
public struct CELEnvironment: Sendable {
    /// Finds a time zone's offset: seconds east of UTC at an instant given in seconds since 1970, or nil for a name that
    /// it does not know. Fixed offsets and `UTC` never ask it.
    public typealias TimeZoneLookup = @Sendable (_ name: String, _ seconds: Int64) -> Int?

    /// The namespace that names are looked up in first, such as `a.b`; empty for none.
    public let container: String

    let timeZones: TimeZoneLookup?
    private var variables: [String: Variable] = [:]
    private var names: [String] = []

    struct Variable {
        let type: CELType
        let slot: Int
    }

    /// Makes an environment without variables.
    ///
    /// Without `timeZones` an expression that names a place such as `'Europe/Warsaw'` is refused: its answer would
    /// depend on the machine's tables.
    public init(container: String = "", timeZones: TimeZoneLookup? = nil) {
        self.container = container
        self.timeZones = timeZones
    }

    /// Declares a variable, which may be qualified (`a.b`), and gives it the next slots.
    /// - Precondition: the name is new, and an object's fields are no objects.
    public mutating func declare(_ name: String, _ type: CELType) {
        precondition(variables[name] == nil, "a variable is declared twice")
        variables[name] = Variable(type: type, slot: names.count)
        guard case .object(_, let fields) = type else {
            names.append(name)
            return
        }
        for field in fields {
            if case .object = field.type { preconditionFailure("objects do not nest") }
            names.append(name + "." + field.name)
        }
    }

    /// How many slots the variables take; slots are 0 up to this.
    public var slotCount: Int { names.count }

    /// The name of a slot as expressions write it, such as `action.value`.
    public func name(ofSlot slot: Int) -> String { names[slot] }

    /// The slot of a variable, or of an object variable's field; nil for what is not declared.
    public func slot(of name: String, field: String? = nil) -> Int? {
        guard let variable = variables[name] else { return nil }
        guard case .object(_, let fields) = variable.type else { return field == nil ? variable.slot : nil }
        guard let position = fields.firstIndex(where: { $0.name == field }) else { return nil }
        return variable.slot + position
    }

    func variable(_ name: String) -> Variable? { variables[name] }

    /// The names that `name` may stand for, nearest container first.
    func candidates(for name: String, isRooted: Bool) -> [String] {
        if isRooted || container.isEmpty { return [name] }
        var parts = container.split(separator: ".")
        var candidates: [String] = []
        while !parts.isEmpty {
            candidates.append(parts.joined(separator: ".") + "." + name)
            parts.removeLast()
        }
        return candidates + [name]
    }
}

/// How strictly an expression is checked.
public enum CELChecking: Sendable {
    /// What can never work is refused before it runs. For anything that is kept: plans, filters, segments.
    case strict
    /// Only the syntax is refused; unknown names and wrong types fail while evaluating, as the language allows.
    case deferred
}
