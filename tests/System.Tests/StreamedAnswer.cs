namespace Concertina.System.Tests;

/// <summary>One streamed answer: status, text, finish reason, and the error object if there was one.</summary>
internal sealed record StreamedAnswer(int Status, string Text, string? Finish, string? Error);
