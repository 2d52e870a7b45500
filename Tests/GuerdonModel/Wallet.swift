/// One member's holding in one currency.
struct Wallet {
    /// Credited value with an expiry.
    struct Lot {
        let expires: Instant
        /// The command that credited it.
        let seq: Int
        let source: Text?
        var amount: Int64
    }

    /// The dated lots that still hold something, oldest expiry first, then by command.
    private(set) var lots: [Lot] = []
    /// What never expires.
    private(set) var undated: Int64 = 0
    /// The one command that made the undated lot since it was last empty; `nil` when there were several.
    private(set) var undatedSource: (seq: Int, externalId: Text?)?
    /// What reversals took beyond the balance.
    private(set) var debt: Int64 = 0

    /// What can be spent.
    var available: Int64 { lots.reduce(undated) { $0 + $1.amount } }
    /// The account's balance in the books.
    var balance: Int64 { available - debt }

    /// Adds value: a debt is paid first, a lot gets only what is left over.
    mutating func credit(_ amount: Int64, expires: Instant?, seq: Int, source: Text?) {
        let paidOff = min(debt, amount)
        debt -= paidOff
        let rest = amount - paidOff
        guard rest > 0 else { return }
        guard let expires else {
            if undated == 0 {
                undatedSource = (seq, source)
            } else if undatedSource?.seq != seq {
                undatedSource = nil
            }
            undated += rest
            return
        }
        if let index = lots.firstIndex(where: { $0.expires == expires && $0.seq == seq }) {
            lots[index].amount += rest
        } else {
            lots.append(Lot(expires: expires, seq: seq, source: source, amount: rest))
            lots.sort { ($0.expires, $0.seq) < ($1.expires, $1.seq) }
        }
    }

    /// Takes as much of `amount` as is available, oldest expiry first, undated last; answers what it took.
    @discardableResult
    mutating func take(_ amount: Int64) -> Int64 {
        var missing = amount
        for index in lots.indices {
            let part = min(missing, lots[index].amount)
            lots[index].amount -= part
            missing -= part
        }
        lots.removeAll { $0.amount == 0 }
        let part = min(missing, undated)
        undated -= part
        return amount - (missing - part)
    }

    /// Takes from the lot that a command credited with this expiry; answers what it took.
    mutating func take(_ amount: Int64, fromLotOf seq: Int, expires: Instant?) -> Int64 {
        guard let expires else {
            let part = min(amount, undated)
            undated -= part
            return part
        }
        guard let index = lots.firstIndex(where: { $0.expires == expires && $0.seq == seq }) else { return 0 }
        let part = min(amount, lots[index].amount)
        lots[index].amount -= part
        lots.removeAll { $0.amount == 0 }
        return part
    }

    /// Lets the balance go below zero.
    mutating func owe(_ amount: Int64) { debt += amount }

    /// Drops the lot that expires first.
    mutating func removeFirstLot() { lots.removeFirst() }
}
