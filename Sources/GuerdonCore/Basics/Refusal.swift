/// Why a command was refused; the raw value is stable, ``name`` is what the wire says.
public enum RefusalCode: UInt8, Sendable, CaseIterable, BitwiseCopyable, Error {
    case none = 0
    case badJson, badRequest, lineTooLong, unknownOp, unknownWorkspace, unknownMember, unknownCurrency, unknownAccount
    case unknownPlan, unknownBoard, unknownAction, planInvalid, conflict, cycle, selfReferral, alreadyReferred
    case insufficientFunds, budgetExhausted, capReached, amountOutOfRange, alreadyReversed, tooLate, unauthorized
    case forbidden, overloaded, limitExceeded, readOnly, shuttingDown, diskFull

    /// The code on the wire.
    public var name: String {
        switch self {
        case .none: "ok"
        case .badJson: "bad_json"
        case .badRequest: "bad_request"
        case .lineTooLong: "line_too_long"
        case .unknownOp: "unknown_op"
        case .unknownWorkspace: "unknown_workspace"
        case .unknownMember: "unknown_member"
        case .unknownCurrency: "unknown_currency"
        case .unknownAccount: "unknown_account"
        case .unknownPlan: "unknown_plan"
        case .unknownBoard: "unknown_board"
        case .unknownAction: "unknown_action"
        case .planInvalid: "plan_invalid"
        case .conflict: "conflict"
        case .cycle: "cycle"
        case .selfReferral: "self_referral"
        case .alreadyReferred: "already_referred"
        case .insufficientFunds: "insufficient_funds"
        case .budgetExhausted: "budget_exhausted"
        case .capReached: "cap_reached"
        case .amountOutOfRange: "amount_out_of_range"
        case .alreadyReversed: "already_reversed"
        case .tooLate: "too_late"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .overloaded: "overloaded"
        case .limitExceeded: "limit_exceeded"
        case .readOnly: "read_only"
        case .shuttingDown: "shutting_down"
        case .diskFull: "disk_full"
        }
    }
}

/// A refusal with the field it is about and a sentence for people.
public struct Refusal: Error, Equatable, Sendable {
    /// The stable code.
    public var code: RefusalCode
    /// The request's field that was at fault, as a path; empty when no single field is.
    public var field: String
    /// What was wrong and what to do.
    public var message: String

    /// Creates a refusal.
    public init(_ code: RefusalCode, field: String = "", _ message: String) {
        self.code = code
        self.field = field
        self.message = message
    }
}
