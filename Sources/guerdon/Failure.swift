import ArgumentParser
import GuerdonClient
import GuerdonEngine
import GuerdonStore

extension ParsableCommand {
    /// Runs the body of a command; what goes wrong is told on standard error as "guerdon COMMAND: what happened".
    ///
    /// The exit status is 1 then, or 64 where the command was asked for wrongly. With `json`, standard output gets one
    /// object as well: `{"ok":false,"error":{"code":"unknown_board","message":"…"}}`.
    func run(reporting command: String, json: Bool = false, _ body: () throws -> Void) throws {
        do { try body() } catch let exit as ExitCode { throw exit } catch {
            let isMisuse = error is ValidationError
            var message = "\(error)"
            if isMisuse, message.last != "." { message += "." }
            Terminal.error.line(
                "guerdon \(command): \(printable(message))" + (isMisuse ? " See: guerdon \(command) --help" : ""))
            if json { Terminal.output.line(FailureText(error).json) }
            throw isMisuse ? ExitCode.validationFailure : ExitCode(1)
        }
    }
}

/// What went wrong, for programs.
struct FailureText {
    /// A stable lower-case word; the wire's code where the server refused.
    let code: String
    let message: String

    init(_ error: any Error) {
        let text = "\(error)"
        message = text
        switch error {
        case let error as StoreError: code = error.code.rawValue
        case let error as EngineError: code = error.code
        case let error as ClientError where error.code == .refused: code = String(text.prefix { $0 != ":" })
        case let error as ClientError: code = error.code.name
        case is ValidationError: code = "bad_arguments"
        default: code = "failed"
        }
    }

    /// One line of JSON.
    var json: String {
        let error = JSONValue.object([JSONMember("code", .string(code)), JSONMember("message", .string(message))])
        return JSONValue.object([JSONMember("ok", .bool(false)), JSONMember("error", error)]).description
    }
}

extension ClientError.Code {
    fileprivate var name: String {
        switch self {
        case .unreachable: "unreachable"
        case .disconnected: "disconnected"
        case .malformedReply: "malformed_reply"
        case .refused: "refused"
        case .inputOutput: "io_error"
        }
    }
}

/// The text with everything spelt out that would move a terminal's cursor or turn its writing around: names come from
/// whoever signed up with them.
func printable(_ text: String) -> String {
    func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
        }
    }
    if text.unicodeScalars.allSatisfy(isHarmless) { return text }
    return text.unicodeScalars.map { isHarmless($0) ? String($0) : "\\u{\(String($0.value, radix: 16))}" }.joined()
}
