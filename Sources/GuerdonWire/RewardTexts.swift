import GuerdonCore

/// What the rewards of a batch say again and again, as JSON text: all but who gets how much.
///
/// For the replies to one batch: names may be others after the next one.
public final class RewardTexts {
    private struct Slot {
        // Plan and bonus, workspace and currency with a bit that is never 0, level.
        var first: UInt64 = 0
        var second: UInt64 = 0
        var scale = 0
        var start = 0
        var amount = 0
        var end = 0
    }

    /// A reward's text before and behind the digits of its amount, and the decimals of that.
    struct Found {
        let before: UnsafeRawBufferPointer
        let behind: UnsafeRawBufferPointer
        let scale: Int
    }

    private static let slotCount = 64
    private let slots: UnsafeMutablePointer<Slot>
    private let text = ByteSink(capacity: 4096)

    /// Nothing known yet.
    public init() {
        slots = .allocate(capacity: RewardTexts.slotCount)
        slots.initialize(repeating: Slot(), count: RewardTexts.slotCount)
    }

    deinit {
        slots.deallocate()
        text.deallocate()
    }

    /// Forgets all, for another batch or other names.
    public func forget() {
        guard text.count > 0 else { return }
        text.removeAll()
        slots.update(repeating: Slot(), count: RewardTexts.slotCount)
    }

    /// The texts of a reward; valid until the next one is asked for.
    @inline(__always)
    func find(_ line: RewardLine, _ names: some NameSource) -> Found {
        let first = UInt64(line.plan) << 16 | UInt64(line.bonus)
        let second = 1 << 63 | UInt64(line.workspace) << 24 | UInt64(line.currency) << 8 | UInt64(line.level)
        let hash = (first &* 0x9E37_79B9_7F4A_7C15) ^ (second &* 0xC2B2_AE3D_27D4_EB4F)
        let slot = slots + Int(hash >> 58)
        if slot.pointee.first != first || slot.pointee.second != second {
            slot.pointee = write(line, first, second, names)
        }
        let bytes = text.bytes
        return Found(
            before: UnsafeRawBufferPointer(rebasing: bytes[slot.pointee.start..<slot.pointee.amount]),
            behind: UnsafeRawBufferPointer(rebasing: bytes[slot.pointee.amount..<slot.pointee.end]),
            scale: slot.pointee.scale)
    }

    @inline(never)
    private func write(_ line: RewardLine, _ first: UInt64, _ second: UInt64, _ names: some NameSource) -> Slot {
        // A batch with more kinds of rewards than slots would write for ever.
        if text.count > 1 << 20 { forget() }
        let workspace = Int(line.workspace)
        let currency = Int(line.currency)
        var slot = Slot(first: first, second: second, start: text.count)
        slot.scale = names.currencyScale(workspace: workspace, currency: currency)
        var writer = JSONWriter(text)
        text.ascii(",\"currency\":")
        writer.string(names.currencyCode(workspace: workspace, currency: currency))
        text.ascii(",\"amount\":\"")
        slot.amount = text.count
        text.ascii("\",\"plan\":")
        writer = JSONWriter(text)
        writer.string(names.planID(workspace: workspace, plan: line.plan))
        text.ascii(",\"bonus\":")
        writer = JSONWriter(text)
        writer.string(names.bonusID(workspace: workspace, plan: line.plan, bonus: Int(line.bonus)))
        text.ascii(",\"level\":")
        Digits.write(UInt64(line.level), into: text)
        slot.end = text.count
        return slot
    }
}
