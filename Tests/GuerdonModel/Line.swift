/// A request under construction: fields in the order they are written, each value as JSON text.
struct Line {
    var fields: [(name: String, value: String)] = []

    init(_ op: String) { self["op"] = Line.quoted(op) }

    /// The JSON text of a field; `nil` removes it.
    subscript(name: String) -> String? {
        get { fields.first { $0.name == name }?.value }
        set {
            if let index = fields.firstIndex(where: { $0.name == name }) {
                if let newValue { fields[index].value = newValue } else { fields.remove(at: index) }
            } else if let newValue {
                fields.append((name, newValue))
            }
        }
    }

    /// The line with this field added.
    func with(_ name: String, _ value: String?) -> Line {
        var line = self
        line[name] = value
        return line
    }

    /// The line with this field added as a string.
    func with(_ name: String, text: String?) -> Line { with(name, text.map(Line.quoted)) }

    var text: String { "{" + fields.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}" }

    static func quoted(_ text: String) -> String { JSON.text(text).line }
}
