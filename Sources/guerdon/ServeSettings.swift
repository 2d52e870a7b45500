import ArgumentParser
import Glibc
import GuerdonClient

/// The settings of a server, from flags, then the environment, then a file, then the defaults.
struct ServeSettings: Sendable, Equatable {
    /// The data directory.
    var data = ServeSettings.defaultData
    /// Whether a data directory that does not exist is made.
    var createsData = false
    var host = "127.0.0.1"
    /// The port; 0 lets the system choose.
    var port = Endpoint.defaultPort
    /// How many shards evaluate; nil is one.
    var shards: Int?
    /// External ids that a workspace has in memory before they are moved to a file; nil is the engine's default.
    var idsPerGeneration: Int?
    /// Seconds that a line may take; 0 for ever.
    var lineTimeout = 60
    /// Seconds in which waiting replies must be read; 0 for ever.
    var replyTimeout = 60

    /// Where the data is when nobody says: made on first use.
    static let defaultData = "guerdon-data"

    /// The settings that flags gave; nil where a flag was not used.
    struct Flags {
        var data: String?
        var initialize = false
        var host: String?
        var port: Int?
        var shards: Int?
        var idsPerGeneration: Int?
        var lineTimeout: Int?
        var replyTimeout: Int?
        var config: String?
    }

    /// Puts the sources together.
    ///
    /// - Parameters:
    ///   - environment: looks up a variable by name.
    ///   - readFile: returns the text of the settings file.
    /// - Throws: `ValidationError` that names the source and the setting.
    init(
        _ flags: Flags, environment: @escaping (String) -> String?, readFile: (String) throws -> String
    ) throws {
        let path = flags.config ?? environment("GUERDON_CONFIG")
        let file = try path.map { try SettingsFile(path: $0, text: try readFile($0)) }
        let sources = SettingSources(environment: environment, file: file)
        if let data = try flags.data ?? sources.text("data") {
            self.data = data
            createsData = flags.initialize
        } else {
            createsData = true
        }
        host = try flags.host ?? sources.text("host") ?? host
        port = try flags.port ?? sources.number("port", 0...65_535) ?? port
        shards = try flags.shards ?? sources.number("shards", 1...64)
        let generation = 100...1_000_000_000
        idsPerGeneration = try flags.idsPerGeneration ?? sources.number("idsPerGeneration", generation)
        if let idsPerGeneration, !generation.contains(idsPerGeneration) {
            throw ValidationError(
                "--ids-per-generation must be \(generation.lowerBound) to \(generation.upperBound)")
        }
        let seconds = 0...86_400
        lineTimeout = try flags.lineTimeout ?? sources.number("lineTimeout", seconds) ?? lineTimeout
        replyTimeout = try flags.replyTimeout ?? sources.number("replyTimeout", seconds) ?? replyTimeout
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0 to 65535") }
        if let shards, !(1...64).contains(shards) { throw ValidationError("--shards must be 1 to 64") }
        for (flag, value) in [("--line-timeout", lineTimeout), ("--reply-timeout", replyTimeout)]
        where !seconds.contains(value) {
            throw ValidationError("\(flag) must be 0 to \(seconds.upperBound) seconds")
        }
    }
}

/// A settings file: one JSON object, such as `{"port": 7450, "data": "/var/lib/guerdon"}`.
private struct SettingsFile {
    static let names = ["data", "host", "port", "shards", "idsPerGeneration", "lineTimeout", "replyTimeout"]
    let path: String
    let values: JSONValue

    init(path: String, text: String) throws {
        self.path = path
        do { values = try JSONValue.parse(text) } catch {
            throw ValidationError("\(path): \(error); the file holds one JSON object, such as {\"port\": 7450}")
        }
        guard case .object(let members) = values else {
            throw ValidationError("\(path): the file holds one JSON object, such as {\"port\": 7450}")
        }
        for member in members where !Self.names.contains(member.key) {
            let known = Self.names.joined(separator: ", ")
            throw ValidationError("\(path): there is no setting \"\(member.key)\"; there are \(known)")
        }
    }
}

/// Looks a setting up in the environment and then in the file.
private struct SettingSources {
    let environment: (String) -> String?
    let file: SettingsFile?

    /// The text of a setting with the name of its source.
    private func find(_ name: String) throws -> (text: String, source: String)? {
        // lineTimeout is GUERDON_LINE_TIMEOUT.
        let variable = "GUERDON_" + name.flatMap { $0.isUppercase ? "_\($0)" : $0.uppercased() }
        if let text = environment(variable), !text.isEmpty { return (text, variable) }
        guard let file, let value = file.values[name] else { return nil }
        guard let text = value.text else { throw ValidationError("\(file.path): \"\(name)\" must be text or a number") }
        return (text, "\(file.path): \"\(name)\"")
    }

    func text(_ name: String) throws -> String? { try find(name)?.text }

    func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let found = try find(name) else { return nil }
        guard let number = Int(found.text), range.contains(number) else {
            throw ValidationError(
                "\(found.source) must be a number from \(range.lowerBound) to \(range.upperBound), not \(found.text)")
        }
        return number
    }
}

/// A variable of the process environment.
func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
