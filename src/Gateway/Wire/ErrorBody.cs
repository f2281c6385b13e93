using Concertina.Gateway.Http;

namespace Concertina.Gateway.Wire;

/// <summary>The error object of every failed answer and of error events in streams.</summary>
internal sealed record ErrorBody(ErrorBody.Detail Error)
{
    public static ErrorBody Of(ApiError error) => new(new Detail(error.Message, error.Type, error.Param, error.Code));

    /// <summary>All four members are always present.</summary>
    internal sealed record Detail(string Message, string Type, string? Param, string? Code);
}
