using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Http;

/// <summary>Which part of a list a request asks for: <c>limit</c> and <c>after</c> of its query.</summary>
/// <param name="Limit">Most entries.</param>
/// <param name="After">Only those behind this one; null: from the first.</param>
internal sealed record PageQuery(int Limit, string? After)
{
    private const int DefaultLimit = 20;
    private const int MostLimit = 100;
    private const int MostAfterChars = 256;

    public static Outcome<PageQuery> Read(IQueryCollection query)
    {
        string? limitText = query["limit"];
        string? after = query["after"];
        int limit = DefaultLimit;
        if (limitText is not null
            && (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MostLimit))
        {
            return ApiErrors.Invalid("limit", $"'limit' must be from 1 to {MostLimit}.");
        }
        return after?.Length > MostAfterChars
            ? ApiErrors.Invalid("after", $"'after' must have at most {MostAfterChars} characters.")
            : new PageQuery(limit, string.IsNullOrEmpty(after) ? null : after);
    }
}
