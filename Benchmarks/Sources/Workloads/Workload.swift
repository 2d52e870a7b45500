/// Something that is measured: a kind of operation, and how often it happens in one call.
///
/// The same seed makes every workload, so a session does the same in every process: counts of it can be compared.
public struct Workload: Sendable {
    /// Group and kind, such as `apply-actions`; no spaces, as tools take names for patterns and file names.
    public let name: String
    /// What one operation is, such as `action`.
    public let unit: String
    /// Operations in one call of ``Session/run()``.
    public let operations: Int
    /// Calls before counting begins, after which memory that is reused has its size.
    public let warmUp: Int
    /// Calls that are counted.
    public let calls: Int
    private let make: @Sendable () throws -> any Session

    init(
        _ name: String, unit: String, operations: Int, warmUp: Int = 10, calls: Int = 10,
        _ make: @escaping @Sendable () throws -> any Session
    ) {
        (self.name, self.unit, self.operations) = (name, unit, operations)
        (self.warmUp, self.calls) = (warmUp, calls)
        self.make = make
    }

    /// Builds what the workload needs, such as a world of 100,000 members.
    public func session() throws -> any Session { try make() }

    /// All workloads, in the order in which reports show them.
    public static let all = decode + condition + apply + board + log + ids + reply + snapshot
}

/// A workload that stands ready; every call of ``run()`` follows one of ``prepare()``. For one thread.
public protocol Session: AnyObject {
    /// Makes ready what the next call uses up; not measured.
    func prepare() throws
    /// What is measured.
    func run() throws
}

extension Session {
    /// Nothing is used up.
    public func prepare() {}
}

/// Stops when a workload did not do what it should: what fails quickly would look like an improvement.
func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError("A workload does not do its work: \(what())") }
}
