/// One payment, or one tag, of a bonus that an action earned; a plain value, so that a step touches no reference counts.
struct PayOperation: BitwiseCopyable {
    let formula: RewardFormula
    /// Index into the workspace's table of rewards.
    let info: UInt32
    /// 0 for the performer, k for the k-th upline level.
    let level: UInt8
    /// Index of the tag that is given instead; -1 for a payment.
    let tag: Int16
}

/// The payments of a shape in the order in which they are made: a flat program without jumps.
final class PayOperations {
    private let buffer = Buffer<PayOperation>(capacity: 4)
    private(set) var tags: [Text] = []

    deinit { buffer.deallocate() }

    var count: Int { buffer.count }
    @inline(__always) var elements: UnsafeBufferPointer<PayOperation> { buffer.elements }

    func append(_ operation: PayOperation) { buffer.append(operation) }

    func append(tag: Text, info: UInt32) {
        buffer.append(PayOperation(formula: .nothing, info: info, level: 0, tag: Int16(tags.count)))
        tags.append(tag)
    }
}
