/// Why a request was not carried out.
struct Refusal: Error {
    let code: JSON
    /// `nil` when the error names no field, ``JSON/anything`` when the contract leaves it open.
    let field: JSON?
    /// Whether the id of the request is surely echoed; it is not when the line could not be read far enough.
    var echoesId = true

    init(_ code: String, _ field: String? = nil) {
        self.code = .text(code)
        self.field = field.map { .text($0) }
    }

    init(codes: [String], field: JSON = .anything, echoesId: Bool = true) {
        code = codes.count == 1 ? .text(codes[0]) : .oneOf(codes.map { .text($0) })
        self.field = field
        self.echoesId = echoesId
    }

    init(_ code: String, openField: Void) {
        self.code = .text(code)
        field = .anything
    }

    static func badRequest(_ field: String) -> Refusal { Refusal("bad_request", field) }
    static func outOfRange(_ field: String) -> Refusal { Refusal("amount_out_of_range", field) }
}

/// What a request says about a field that may be absent, cleared or set.
enum Change<Value> {
    case absent, cleared
    case set(Value)

    var value: Value? {
        guard case .set(let value) = self else { return nil }
        return value
    }

    func map<Other>(_ transform: (Value) throws -> Other) rethrows -> Change<Other> {
        switch self {
        case .absent: .absent
        case .cleared: .cleared
        case .set(let value): .set(try transform(value))
        }
    }

    /// Puts the change into effect on an optional property.
    func apply(to property: inout Value?) {
        switch self {
        case .absent: break
        case .cleared: property = nil
        case .set(let value): property = value
        }
    }
}
