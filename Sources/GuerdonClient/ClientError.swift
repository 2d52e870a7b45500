/// Why a client could not do what it was asked for: what happened, where, and what to do about it.
public struct ClientError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure that callers tell apart.
    public enum Code: Sendable, Equatable {
        /// The address does not resolve, or nobody listens there.
        case unreachable
        /// The connection ended before everything was answered, and trying again did not help in time.
        case disconnected
        /// The server answered with something that is not the protocol, or not JSON.
        case malformedReply
        /// The server refused the request; the wire's code is in the message.
        case refused
        /// A local file or pipe could not be read or written.
        case inputOutput
    }

    /// The kind of failure.
    public let code: Code
    /// A sentence for people.
    public let message: String

    /// Creates an error from a kind and a sentence for people.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
