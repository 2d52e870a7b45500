/// Compares the engine's replies with the model's.
public enum ReplyComparison {
    /// Fields that are never compared, wherever they stand.
    public static let freeFields: Set<Text> = ["message"]
    /// Fields that hold a time: compared as written, but `Z` equals `+00:00` and trailing zeros of a fraction do not
    /// count.
    static let times: Set<Text> = ["at", "recorded", "expires", "ends"]

    /// What differs between the expected reply and the line that came, as a short text with the path; `nil` when
    /// nothing does.
    ///
    /// The order of members does not count, numbers are compared by value, `free` names further fields that are not
    /// compared, and a wildcard in the expected reply matches what it says.
    public static func difference(expected: JSON, actual: String, free: Set<Text> = []) -> String? {
        let value: JSON
        do throws(JSONFault) {
            value = try JSONParser.parse(actual, depthMax: 64)
        } catch {
            return "the reply is not JSON (\(error)): \(actual)"
        }
        guard let place = compare(expected, value, at: "", free: free.union(freeFields)) else { return nil }
        return place + "\n  expected: \(expected.line)\n  actual:   \(actual)"
    }

    private static func compare(_ expected: JSON, _ actual: JSON, at path: String, free: Set<Text>) -> String? {
        let differs = "\(path.isEmpty ? "reply" : path): expected \(expected.line), got \(actual.line)"
        switch (expected, actual) {
        case (.anything, _): return nil
        case (.something, _): return actual == .null ? differs : nil
        case (.oneOf(let choices), _):
            return choices.contains { compare($0, actual, at: path, free: free) == nil } ? nil : differs
        case (.object(let left), .object(let right)):
            return compareObjects(left, right, at: path, free: free)
        case (.array(let left), .array(let right)):
            guard left.count == right.count else {
                return "\(path): expected \(left.count) elements, got \(right.count)"
            }
            for index in left.indices {
                if let found = compare(left[index], right[index], at: "\(path)[\(index)]", free: free) { return found }
            }
            return nil
        case (.number(let left), .number(let right)):
            return number(left) == number(right) ? nil : differs
        default: return expected == actual ? nil : differs
        }
    }

    private static func compareObjects(
        _ expected: [Text: JSON], _ actual: [Text: JSON], at path: String, free: Set<Text>
    ) -> String? {
        let isOpen = expected["*"] != nil
        for key in Set(expected.keys).union(actual.keys).sorted() where key != "*" && !free.contains(key) {
            let place = path.isEmpty ? key.string : "\(path).\(key)"
            switch (expected[key], actual[key]) {
            case (.anything?, nil): continue
            case (nil, let extra?):
                if !isOpen { return "\(place): not expected, got \(extra.line)" }
            case (let wanted?, nil): return "\(place): missing, expected \(wanted.line)"
            case (.string(let left)?, .string(let right)?) where times.contains(key):
                if time(left) != time(right) { return "\(place): expected \(left), got \(right)" }
            case (let wanted?, let given?):
                if let found = compare(wanted, given, at: place, free: free) { return found }
            case (nil, nil): continue
            }
        }
        return nil
    }

    /// The text of a number without zeros at the end of its fraction.
    private static func number(_ text: String) -> String {
        guard text.contains("."), !text.contains(where: { "eE".contains($0) }) else { return text }
        var text = text
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    private static func time(_ text: Text) -> String {
        var text = text.string
        var zone = ""
        if text.hasSuffix("Z") {
            text.removeLast()
        } else if text.utf8.count > 25 - 6, let sign = text.lastIndex(where: { "+-".contains($0) }) {
            zone = String(text[sign...])
            text = String(text[..<sign])
        }
        if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text + (zone == "+00:00" ? "" : zone)
    }
}
