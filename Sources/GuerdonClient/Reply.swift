import Glibc

/// A refusal as the wire tells it.
public struct RefusalText: Sendable, Equatable {
    /// The stable code, such as `unknown_member`.
    public let code: String
    /// The sentence for people.
    public let message: String
    /// The request's field that is to blame, if one is.
    public let field: String?

    /// Reads the `error` object of a reply; nil when it is none.
    public init?(_ error: JSONValue?) {
        guard let error, let code = error["code"]?.text else { return nil }
        self.code = code
        message = error["message"]?.text ?? code
        field = error["field"]?.text
    }
}

/// What a reply line says, as far as a stream of commands needs it.
public enum Reply: Sendable, Equatable {
    /// Done; the content is not looked at.
    case done
    /// It had been done before: same external id, same content.
    case duplicate
    /// Refused; nothing was changed.
    case refused(RefusalText)
    /// Nothing to do with a request: an event of a subscription.
    case event

    /// Classifies a line without parsing it where that is possible.
    ///
    /// - Throws: ``ClientError`` `malformedReply` when the line is not a reply.
    /// - Complexity: O(1) for plain replies without a request id, else O(bytes).
    public init(line: UnsafeRawBufferPointer) throws(ClientError) {
        if line.starts(with: Self.okPrefix) {
            self = line.ends(with: Self.duplicateSuffix) ? .duplicate : .done
            return
        }
        let value = try JSONValue.parse(bytes: Array(line))
        if let refusal = RefusalText(value["error"]) {
            self = .refused(refusal)
        } else if value["ok"]?.boolean == true {
            self = value["duplicate"]?.boolean == true ? .duplicate : .done
        } else if value["event"] != nil {
            self = .event
        } else {
            throw ClientError(.malformedReply, "not a reply: \(String(decoding: line.prefix(200), as: UTF8.self))")
        }
    }

    private static let okPrefix: StaticString = "{\"ok\":true"
    private static let duplicateSuffix: StaticString = "\"duplicate\":true}"
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes begin with a literal.
    public func starts(with text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count >= length, let baseAddress else { return false }
        return memcmp(baseAddress, text.utf8Start, length) == 0
    }

    /// Whether the bytes end with a literal.
    public func ends(with text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count >= length, let baseAddress else { return false }
        return memcmp(baseAddress + (count - length), text.utf8Start, length) == 0
    }
}
