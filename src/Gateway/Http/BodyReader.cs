using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Concertina.Gateway.Http;

/// <summary>Reads a JSON body within a limit; what is wrong with it becomes an error that names the field, never the content.</summary>
internal static class BodyReader
{
    public static async Task<Outcome<T>> Read<T>(HttpContext context, JsonTypeInfo<T> shape, int limitBytes)
        where T : class
    {
        // Read and drop up to the limit once more: a client that still sends does not see an answer.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = 2L * limitBytes;
        }
        byte[]? body;
        try
        {
            body = await ReadAll(context, limitBytes);
        }
        catch (BadHttpRequestException failure) when (failure.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            body = null;
        }
        catch (BadHttpRequestException failure)
        {
            return ApiErrors.BadJson(failure.Message);
        }
        return body is null ? ApiErrors.TooLarge(limitBytes) : Parse(body, shape);
    }

    private static async Task<byte[]?> ReadAll(HttpContext context, int limitBytes)
    {
        using MemoryStream body = new((int)Math.Clamp(context.Request.ContentLength ?? 0, 0, limitBytes));
        byte[] buffer = new byte[16 << 10];
        long total = 0;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            total += read;
            if (total <= limitBytes)
            {
                body.Write(buffer, 0, read);
            }
        }
        return total <= limitBytes ? body.ToArray() : null;
    }

    private static Outcome<T> Parse<T>(byte[] body, JsonTypeInfo<T> shape)
        where T : class
    {
        try
        {
            if (!Utf8.IsValid(body))
            {
                return ApiErrors.BadJson("it is not UTF-8");
            }
            if (HasHalfName(body))
            {
                return ApiErrors.BadJson("a member's name holds half of a surrogate pair");
            }
            using JsonDocument document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return ApiErrors.BadJson("an object is needed");
            }
            return document.Deserialize(shape)!;
        }
        catch (JsonException failure) when (failure.Path is { } path)
        {
            string field = path.TrimStart('$').TrimStart('.');
            return ApiErrors.Invalid(field, $"'{field}' has the wrong type.");
        }
        catch (JsonException failure)
        {
            return ApiErrors.BadJson($"line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}");
        }
    }

    /// <summary>True when an escape in some member's name spells half a character, at which every later look-up would throw.</summary>
    private static bool HasHalfName(byte[] body)
    {
        if (body.AsSpan().IndexOf("\\u"u8) < 0)
        {
            return false;
        }
        Utf8JsonReader reader = new(body);
        try
        {
            while (reader.Read())
            {
                if (reader is { TokenType: JsonTokenType.PropertyName, ValueIsEscaped: true })
                {
                    reader.GetString();
                }
            }
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }
}
