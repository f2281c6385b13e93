using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Chat;

/// <summary>What reading a request needs of its surroundings.</summary>
internal sealed record ChatSurroundings(DrainState Drain, IOptions<GatewayOptions> Options, TimeProvider Time, ILogger<ChatReader> Logger);
