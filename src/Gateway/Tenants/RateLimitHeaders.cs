using System.Globalization;
using Concertina.Contracts.Tenants;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Tenants;

/// <summary>The <c>x-ratelimit-*</c> headers, on granted and refused requests alike.</summary>
internal static class RateLimitHeaders
{
    public static void Write(IHeaderDictionary headers, ReserveAnswer? answer)
    {
        Write(headers, "requests", answer?.Requests);
        Write(headers, "tokens", answer?.Tokens);
    }

    /// <summary>Durations as OpenAI writes them: <c>17ms</c>, <c>1s</c>, <c>6m0s</c>.</summary>
    public static string Duration(int milliseconds)
    {
        if (milliseconds < 1_000)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, milliseconds)}ms");
        }
        int seconds = (milliseconds + 999) / 1_000;
        return seconds < 60
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds}s")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60}s");
    }

    private static void Write(IHeaderDictionary headers, string unit, RateLimitState? state)
    {
        if (state is null)
        {
            return;
        }
        headers[$"x-ratelimit-limit-{unit}"] = state.Limit.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-remaining-{unit}"] = Math.Max(0, state.Remaining).ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-reset-{unit}"] = Duration(state.ResetMs);
    }
}
